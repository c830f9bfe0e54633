package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"rollcall/domain/broker"
)

// app is what all commands share: the standard streams and the flags that each
// of them knows.
type app struct {
	stdin  *os.File
	in     *bufio.Reader // over stdin; the only one who reads it
	out    io.Writer
	errOut io.Writer

	data   string
	output outputFormat

	// wrap is given to every appliance that is run, and ports to every one that
	// serves; see runOptions.
	wrap  func(broker.Devices) broker.Devices
	ports func(*broker.Config)
}

func newApp(stdin *os.File, stdout, stderr io.Writer) *app {
	return &app{stdin: stdin, in: bufio.NewReader(stdin), out: stdout, errOut: stderr}
}

// execute runs one command line and gives the exit code.
func (a *app) execute(ctx context.Context, args []string) int {
	ctx, done := a.untilNobodyWaits(ctx)
	defer done(nil)
	root := a.root()
	root.SetArgs(args)
	root.SetOut(a.out)
	root.SetErr(a.errOut)
	cmd, err := root.ExecuteContextC(ctx)
	switch {
	case errors.Is(context.Cause(ctx), errReaderGone):
		return exitReaderGone
	case err == nil:
		return exitOK
	}
	a.explain(cmd, err)
	return exitCode(err)
}

// explain prints an error, unless everything has been said already.
func (a *app) explain(cmd *cobra.Command, err error) {
	var quiet *exitError
	if !errors.As(err, &quiet) || quiet.err != nil {
		fmt.Fprintf(a.errOut, "rollcall: %s\n", printableLines(err.Error()))
	}
	var wrong *usageError
	if errors.As(err, &wrong) {
		fmt.Fprintf(a.errOut, "See '%s --help'.\n", cmd.CommandPath())
	}
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "rollcall",
		Short: "A session broker between mobile devices and instant-messaging services",
		Long: `Rollcall stands between mobile devices and instant-messaging services. It keeps
a person's session alive while the device is out of coverage, holds to the limits
an administrator sets, and writes down every decision it makes.

Begin with 'rollcall demo'. It needs nothing and changes nothing.`,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	group(root)
	root.Version = versionNow().String()
	root.Flags().Bool("version", false, "print the version")
	root.SetVersionTemplate("{{.Version}}\n")
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return &usageError{err} })
	a.data = envOr("ROLLCALL_DATA", "./rollcall-data")
	root.PersistentFlags().Var(folderFlag{&a.data}, "data", "the data folder; ROLLCALL_DATA says the same")
	root.PersistentFlags().VarP(&a.output, "output", "o", "how results are printed: table or json (one object a line)")
	root.AddCommand(
		a.demoCommand(),
		a.serveCommand(),
		a.versionCommand(),
		a.routerCommand(),
		a.dispatcherCommand(),
		a.serviceCommand(),
		a.deviceCommand(),
		a.personCommand(),
		a.sessionsCommand(),
		a.auditCommand(),
		a.rebuildCommand(),
		a.backupCommand(),
		a.compactCommand(),
		a.userCommand(),
		a.clientCommand(),
		a.doubleCommand(),
	)
	knowTopics(root)
	return root
}

// knowTopics has help and completion refuse words that are none of theirs. The two
// commands are the library's own.
func knowTopics(root *cobra.Command) {
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	for _, cmd := range root.Commands() {
		switch cmd.Name() {
		case "help":
			cmd.Args = func(_ *cobra.Command, args []string) error {
				topic, rest, err := root.Find(args)
				if err != nil || len(rest) == 0 {
					return err
				}
				return topic.Args(topic, rest)
			}
		case "completion":
			group(cmd)
			for _, shell := range cmd.Commands() {
				shell.Args = arguments()
			}
		}
	}
}

func envOr(name, otherwise string) string {
	if v := os.Getenv(name); v != "" {
		return v
	}
	return otherwise
}

// group makes cmd a command that only holds others: by itself it prints its
// help, and a word that is none of its commands is wrong use.
func group(cmd *cobra.Command) *cobra.Command {
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return nil
		}
		text := fmt.Sprintf("%s has no command %.60q", cmd.CommandPath(), args[0])
		if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
			text += fmt.Sprintf("; did you mean %q?", near[0])
		}
		return &usageError{errors.New(text)}
	}
	cmd.SuggestionsMinimumDistance = 2
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	return cmd
}

// arguments checks the number of arguments, and names what is missing.
func arguments(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) < len(names):
			return &usageError{fmt.Errorf("%s is missing: use '%s'", names[len(args)], cmd.UseLine())}
		case len(args) > len(names):
			return &usageError{fmt.Errorf("%.60q is one argument too many: use '%s'", args[len(names)], cmd.UseLine())}
		}
		return nil
	}
}
