package main

import (
	"context"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"rollcall/cmd/rollcall/internal/config"
)

// settings are the flags of a long-running command that override settings.
type settings struct {
	flags *pflag.FlagSet
	file  string
	keys  map[string]string // by the flag's name
}

// newSettings gives cmd its --config, and ties the flag --data to its setting.
func newSettings(cmd *cobra.Command) *settings {
	s := &settings{flags: cmd.Flags(), keys: map[string]string{"data": "data"}}
	s.flags.StringVar(&s.file, "config", os.Getenv("ROLLCALL_CONFIG"), "a TOML `FILE` with settings; ROLLCALL_CONFIG says the same")
	return s
}

// text adds a flag for the setting with that key.
func (s *settings) text(flag, key, word, usage string) {
	s.flags.Var(&wordFlag{word: word}, flag, usage)
	s.keys[flag] = key
}

// wordFlag is a flag whose help shows what the value looks like.
type wordFlag struct{ value, word string }

func (f *wordFlag) String() string { return f.value }

// Set takes any text; whether it will do is for the settings to say.
func (f *wordFlag) Set(text string) error {
	f.value = text
	return nil
}

// Type gives the word for the value in the help.
func (f *wordFlag) Type() string { return f.word }

// truth adds a flag that is a yes for the setting with that key.
func (s *settings) truth(flag, key, usage string) {
	s.flags.Bool(flag, false, usage)
	s.keys[flag] = key
}

// load reads the settings, the flags over all others.
func (s *settings) load() (config.Config, error) {
	sources := config.Sources{File: s.file, Env: os.Environ()}
	s.flags.Visit(func(f *pflag.Flag) {
		if key, ok := s.keys[f.Name]; ok {
			sources.Flags = append(sources.Flags, config.Flag{Name: f.Name, Key: key, Value: f.Value.String()})
		}
	})
	return config.Load(sources)
}

// serving makes a RunE of a part that runs until it is told to stop: the first
// interrupt or SIGTERM ends ctx, and the part drains; a second one ends the
// process at once.
func (a *app) serving(s *settings, part func(context.Context, config.Config, *slog.Logger) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, _ []string) error {
		cfg, err := s.load()
		if err != nil {
			return err
		}
		ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
		defer stop()
		context.AfterFunc(ctx, stop) // from then on signals do what they do by default
		logger := newLogger(a.errOut, cfg.Log)
		return logFailure(logger, cfg.Log.Format.JSON, part(ctx, cfg, logger))
	}
}

func newLogger(w io.Writer, l config.Log) *slog.Logger {
	options := &slog.HandlerOptions{Level: l.Level.Level}
	if l.Format.JSON {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}
