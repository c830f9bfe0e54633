package main

import (
	"context"
	"log/slog"

	"github.com/spf13/cobra"

	"rollcall/adapters/local"
	"rollcall/cmd/rollcall/internal/config"
)

func (a *app) serveCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the appliance",
		Long: `Runs the appliance: router, dispatcher and collaboration service in one process. The
data folder is made at the first start. An interrupt or SIGTERM drains and stops:
sessions keep their seats, and their devices take them up again after the next
start; a second signal stops at once.

With --remote-dispatchers the devices come through 'rollcall router' and 'rollcall
dispatcher' on other machines.`,
		Example: `  rollcall serve --data /var/lib/rollcall --config /etc/rollcall.toml
  rollcall serve --remote-dispatchers --collaboration :3200`,
		Args: arguments(),
	}
	s := newSettings(cmd)
	s.text("listen", "listen", "HOST:PORT", "where devices connect (default :3101)")
	s.text("public-address", "public-address", "HOST:PORT", "what enrolment strings tell devices, if not the address listened on")
	s.text("collaboration", "collaboration", "HOST:PORT", "where dispatchers connect, with --remote-dispatchers (default :3200)")
	s.truth("remote-dispatchers", "remote-dispatchers", "take devices from dispatchers on other machines")
	s.text("dispatchers", "dispatchers", "PINS", "the pins of the dispatchers to let in, with commas between")
	s.text("metrics", "metrics.listen", "HOST:PORT", "where Prometheus may collect metrics (default nowhere)")
	s.text("log-level", "log.level", "LEVEL", "debug, info, warn or error (default info)")
	s.text("log-format", "log.format", "FORMAT", "text or json (default text)")
	cmd.RunE = a.serving(s, func(ctx context.Context, cfg config.Config, log *slog.Logger) error {
		boundMemory()
		if err := forbidCoreDumps(); err != nil {
			log.Warn("a crash may leave passwords in a core file", "reason", err, "next", "set LimitCORE=0 in the service manager")
		}
		return run(ctx, runOptions{Config: cfg, logger: log, cost: local.DefaultCost, wrap: a.wrap, ports: a.ports})
	})
	return cmd
}
