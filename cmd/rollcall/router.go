package main

import (
	"context"
	"log/slog"

	"github.com/spf13/cobra"

	"rollcall/adapters/router"
	"rollcall/cmd/rollcall/internal/config"
)

func (a *app) routerCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "router",
		Short: "Run the front door by itself, in front of a dispatcher",
		Long: `Accepts devices, keeps the crowd in bounds, and hands each connection on to the
dispatcher with a PROXY protocol v2 header. It holds no keys and reads nothing:
what devices send is encrypted for the collaboration service. HAProxy can take its
place (mode tcp, send-proxy-v2).`,
		Example: "  rollcall router --listen :3101 --dispatcher 10.0.0.2:3102",
		Args:    arguments(),
	}
	s := newSettings(cmd)
	s.text("listen", "listen", "HOST:PORT", "where devices connect (default :3101)")
	s.text("dispatcher", "router.dispatcher", "HOST:PORT", "where the dispatcher is (default 127.0.0.1:3102)")
	cmd.RunE = a.serving(s, runRouter)
	return cmd
}

func runRouter(ctx context.Context, cfg config.Config, log *slog.Logger) error {
	if cfg.Router.Dispatcher.HostPort == "" {
		return &config.Error{Where: "settings", Setting: "router.dispatcher", Problem: "where the dispatcher is, is missing; give it with --dispatcher"}
	}
	ln, err := listen(cfg.Listen, "--listen")
	if err != nil {
		return err
	}
	door, err := router.New(router.Config{
		Handler: router.Relay(router.RelayConfig{Dispatcher: cfg.Router.Dispatcher.HostPort, Logger: log}),
		Limits:  routerLimits(cfg.Router),
		Logger:  log,
	})
	if err != nil {
		return err
	}
	log.Info("the router is ready", "listen", ln.Addr().String(), "dispatcher", cfg.Router.Dispatcher.HostPort)
	return door.Serve(ctx, ln)
}

func routerLimits(r config.Router) router.Limits {
	return router.Limits{
		Conns:           r.Connections,
		ConnsPerAddress: r.ConnectionsPerAddress,
		Rate:            r.Rate,
		Burst:           r.Burst,
		Exempt:          r.Exempt,
	}
}
