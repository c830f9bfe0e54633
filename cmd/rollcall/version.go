package main

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// version is set by the linker for a release (-ldflags "-X main.version=1.2.3").
var version = "devel"

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print the version",
		Example: "  rollcall version -o json",
		Args:    arguments(),
		RunE: func(*cobra.Command, []string) error {
			return a.report(versionNow(), "%v", versionNow())
		},
	}
}

// versionInfo is what tells one build from another.
type versionInfo struct {
	Version  string `json:"version"`
	Revision string `json:"revision,omitempty"`
	Go       string `json:"go"`
}

func versionNow() versionInfo { return versionInfo{version, revision(), runtime.Version()} }

func (v versionInfo) String() string {
	if v.Revision == "" {
		return fmt.Sprintf("rollcall %s (%s)", v.Version, v.Go)
	}
	return fmt.Sprintf("rollcall %s, revision %s (%s)", v.Version, v.Revision, v.Go)
}

// revision gives the commit that the program was built from, where the build
// recorded it.
func revision() string { return buildSetting("vcs.revision") }

func buildSetting(key string) string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, s := range info.Settings {
		if s.Key == key {
			return s.Value
		}
	}
	return ""
}

// buildID tells this build from any with other rules: what one has made of a log must
// not be gone on with by another. Builds that no commit stands for are told apart by
// the program's file.
func buildID() string {
	id := version + " " + revision()
	if revision() != "" && buildSetting("vcs.modified") == "false" {
		return id
	}
	path, err := os.Executable()
	if err != nil {
		return id
	}
	info, err := os.Stat(path)
	if err != nil {
		return id
	}
	return fmt.Sprint(id, " ", info.Size(), " ", info.ModTime().UnixNano())
}
