package main

import (
	"fmt"
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
func revision() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return s.Value
		}
	}
	return ""
}
