package main

import (
	"io"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// every calls look for a command and all below it.
func every(cmd *cobra.Command, look func(*cobra.Command)) {
	look(cmd)
	for _, c := range cmd.Commands() {
		every(c, look)
	}
}

// The help says what a flag's value is in the user's words, not in Go's.
func TestHelpNamesTheValuesOfFlags(t *testing.T) {
	every(newApp(nil, io.Discard, io.Discard).root(), func(cmd *cobra.Command) {
		cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
			word, _ := pflag.UnquoteUsage(f)
			if f.Value.Type() != "bool" && (word == "" || word != strings.ToUpper(word)) {
				t.Errorf("%s --%s takes a %q; name it in capitals", cmd.CommandPath(), f.Name, word)
			}
		})
	})
}

// The help of whatever does something has an example.
func TestHelpHasExamples(t *testing.T) {
	every(newApp(nil, io.Discard, io.Discard).root(), func(cmd *cobra.Command) {
		ours := !strings.HasPrefix(cmd.CommandPath(), "rollcall completion") && cmd.Name() != "help"
		if ours && (cmd.Name() == "client" || !cmd.HasSubCommands()) && cmd.Example == "" {
			t.Errorf("%s has no example", cmd.CommandPath())
		}
	})
}
