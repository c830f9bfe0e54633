package main

import (
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
			info := struct {
				Version  string `json:"version"`
				Revision string `json:"revision,omitempty"`
				Go       string `json:"go"`
			}{version, revision(), runtime.Version()}
			if info.Revision == "" {
				return a.report(info, "rollcall %s (%s)", info.Version, info.Go)
			}
			return a.report(info, "rollcall %s, revision %s (%s)", info.Version, info.Revision, info.Go)
		},
	}
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
