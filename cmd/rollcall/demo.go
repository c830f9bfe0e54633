package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"rollcall/domain"
)

// demoTimeout bounds the demo: well over what it takes on a slow machine.
const demoTimeout = 2 * time.Minute

func (a *app) demoCommand() *cobra.Command {
	var verbose bool
	service := choiceFlag{value: string(domain.KindLocal), of: demoKinds(), word: "KIND"}
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "See the whole story in a few seconds; nothing to set up, nothing stays",
		Long: `Starts an appliance in a temporary folder, with the built-in service and two seats,
brings five devices over real connections, and shows what Rollcall does with them:
accept, Server Busy, an idle logout that makes room, Failed (300), lost coverage and
resume, a restart that sessions survive; then the audit of exactly that, and the
projections rebuilt and compared. It exits 0 only if every step held.

With --service the same is told with another protocol's connector, against a double
of its server that runs in this process: see 'rollcall double'.`,
		Example: "  rollcall demo\n  rollcall demo --service groupwise\n  NO_COLOR=1 rollcall demo",
		Args:    arguments(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			ctx, cancel := context.WithTimeout(ctx, demoTimeout)
			defer cancel()
			logger := slog.New(slog.DiscardHandler)
			if verbose {
				logger = slog.New(slog.NewTextHandler(a.errOut, &slog.HandlerOptions{Level: slog.LevelDebug}))
			}
			return a.demo(ctx, placeFor(service.value), logger)
		},
	}
	cmd.Flags().BoolVar(&verbose, "verbose", false, "show the appliance's own log, too")
	cmd.Flags().Var(&service, "service", "the kind of service to tell it on: "+anyOf(service.of))
	completes(cmd, "service", service.of)
	return cmd
}

// errDemoFailed tells that a step did not hold; the demo has said which.
var errDemoFailed = errors.New("a step did not hold")

func (a *app) demo(ctx context.Context, open openPlace, logger *slog.Logger) (err error) {
	began := time.Now()
	folder, err := os.MkdirTemp("", "rollcall-demo-")
	if err != nil {
		return fmt.Errorf("make a temporary folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()

	place, err := open(folder, demoAccounts())
	if err != nil {
		return fmt.Errorf("make the accounts to log in to: %w", err)
	}
	defer place.close()
	n := newNarrator(a)
	s := newStage(folder, place, logger, a.wrap)
	defer func() { err = errors.Join(err, s.close()) }()
	n.title("Rollcall demo: one appliance, %s with two seats, five devices.", place.server)
	for i, step := range demoSteps {
		n.step(i+1, step.title)
		if err := step.play(ctx, s, n); err != nil {
			n.failed(err)
			return &exitError{exitFailure, fmt.Errorf("%w: step %d of %d, %s", errDemoFailed, i+1, len(demoSteps), step.title)}
		}
	}
	n.title("All %d steps held, in %.1f s. Nothing of it stays.", len(demoSteps), time.Since(began).Seconds())
	return nil
}
