package main

import (
	"context"
	"fmt"
	"log/slog"
	"sync"

	"github.com/spf13/cobra"

	"rollcall/adapters/dispatcher"
	"rollcall/cmd/rollcall/internal/config"
)

func (a *app) dispatcherCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "dispatcher",
		Short: "Run the dispatcher by itself, between routers and the collaboration service",
		Long: `Takes device connections from routers and carries them to the collaboration
service over one link: mutual TLS 1.3, both keys pinned. The dispatcher's own key
lies in its data folder and is made at the first start; its pin is printed then, for
the setting 'dispatchers' of the collaboration service. What devices send stays
encrypted: the dispatcher cannot read it.`,
		Example: `  rollcall dispatcher --data /var/lib/rollcall-dispatcher \
      --collaboration 10.0.0.3:3200 --service-pin sha256:...`,
		Args: arguments(),
	}
	s := newSettings(cmd)
	s.text("listen", "dispatcher.listen", "HOST:PORT", "where routers connect (default 127.0.0.1:3102)")
	s.text("collaboration", "collaboration", "HOST:PORT", "where the collaboration service is (port 3200)")
	s.text("service-pin", "dispatcher.services", "PIN", "the pin of the collaboration service, which it prints when it starts")
	s.text("trusted", "dispatcher.trusted", "NETWORKS", "the networks of the routers, with commas between (default 127.0.0.0/8,::1/128)")
	s.truth("plain", "dispatcher.plain", "take devices without a router, too")
	cmd.RunE = a.serving(s, runDispatcher)
	return cmd
}

func runDispatcher(ctx context.Context, cfg config.Config, log *slog.Logger) error {
	identity, err := dispatcher.LoadOrCreateIdentity(cfg.Data)
	if err != nil {
		return fmt.Errorf("the dispatcher's key: %w", err)
	}
	log.Info("the dispatcher's pin, for the setting 'dispatchers' of the collaboration service", "pin", identity.Pin().String())
	if len(cfg.Dispatcher.Services) == 0 {
		return &config.Error{Where: "settings", Setting: "dispatcher.services", Problem: "the pin of the collaboration service is missing; 'rollcall serve --remote-dispatchers' prints it when it starts, give it with --service-pin"}
	}
	if err := config.CheckAddress(cfg.Collaboration); err != nil {
		return &config.Error{Where: "settings", Setting: "collaboration", Problem: err.Error()}
	}
	link, err := dispatcher.NewLink(dispatcher.LinkConfig{Address: cfg.Collaboration, Identity: identity, Pins: pins(cfg.Dispatcher.Services), Logger: log})
	if err != nil {
		return err
	}
	d, err := dispatcher.New(dispatcher.Config{Default: link, Trusted: cfg.Dispatcher.Trusted, Plain: cfg.Dispatcher.Plain, Logger: log})
	if err != nil {
		return err
	}
	ln, err := listen(cfg.Dispatcher.Listen, "--listen")
	if err != nil {
		return err
	}
	log.Info("the dispatcher is ready", "listen", ln.Addr().String(), "collaboration", cfg.Collaboration)
	return serveWith(ctx, link, func() error { return d.Serve(ctx, ln) })
}

// serveWith serves while the link runs, and ends the link after it: connections
// that drain still need it.
func serveWith(ctx context.Context, link *dispatcher.Link, serve func() error) error {
	linked, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var running sync.WaitGroup
	running.Go(func() { link.Run(linked) })
	err := serve()
	cancel()
	running.Wait()
	return err
}

func pins(from []config.Pin) []dispatcher.Pin {
	to := make([]dispatcher.Pin, len(from))
	for i, p := range from {
		to[i] = p.Pin
	}
	return to
}
