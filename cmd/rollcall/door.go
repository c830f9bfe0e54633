package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"

	"rollcall/adapters/dispatcher"
	"rollcall/adapters/router"
	"rollcall/cmd/rollcall/internal/config"
)

// door is the way in: a port, and who serves it.
type door struct {
	listener net.Listener
	// listening is where devices connect; empty where dispatchers do.
	listening string
	pin       string // of the link to dispatchers; empty where there is none
	router    *router.Router
	acceptor  *dispatcher.Acceptor
}

// openDoor opens the port for devices, or for remote dispatchers. handler takes
// one device's connection.
func openDoor(cfg config.Config, handler router.Handler, log *slog.Logger) (*door, error) {
	if cfg.RemoteDispatchers {
		return openForDispatchers(cfg, handler, log)
	}
	d, err := dispatcher.New(dispatcher.Config{Default: dispatcher.Local(handler), Logger: log})
	if err != nil {
		return nil, err
	}
	r, err := router.New(router.Config{Handler: d.Handle, Limits: routerLimits(cfg.Router), Logger: log})
	if err != nil {
		return nil, err
	}
	ln, err := listen(cfg.Listen, "--listen")
	if err != nil {
		return nil, err
	}
	return &door{listener: ln, listening: ln.Addr().String(), router: r}, nil
}

func openForDispatchers(cfg config.Config, handler router.Handler, log *slog.Logger) (*door, error) {
	identity, err := dispatcher.LoadOrCreateIdentity(cfg.Data)
	if err != nil {
		return nil, fmt.Errorf("the key of the link to dispatchers: %w", err)
	}
	acceptor, err := dispatcher.Accept(dispatcher.AcceptConfig{Identity: identity, Pins: pins(cfg.Dispatchers), Handler: handler, Logger: log})
	if err != nil {
		return nil, err
	}
	ln, err := listen(cfg.Collaboration, "--collaboration")
	if err != nil {
		return nil, err
	}
	return &door{listener: ln, pin: identity.Pin().String(), acceptor: acceptor}, nil
}

func (d *door) serve(ctx context.Context) error {
	if d.acceptor != nil {
		return d.acceptor.Serve(ctx, d.listener)
	}
	return d.router.Serve(ctx, d.listener)
}

// close closes the port where serve has not been called.
func (d *door) close() { _ = d.listener.Close() }

// announce says what the other end of the link needs to know.
func (d *door) announce(log *slog.Logger) {
	if d.acceptor != nil {
		log.Info("dispatchers connect here; give each of them this pin, and this one theirs in the setting 'dispatchers'",
			"collaboration", d.listener.Addr().String(), "pin", d.pin)
	}
}

// publicAddress gives the address for enrolment strings; empty where it is not
// known.
func publicAddress(cfg config.Config, d *door) string {
	switch {
	case cfg.PublicAddress.HostPort != "":
		return cfg.PublicAddress.HostPort
	case d.acceptor != nil:
		return ""
	}
	return reachable(d.listener.Addr().String())
}

// tell tells how the crowd at the door is.
func (d *door) tell(t teller) {
	if d.acceptor == nil {
		t.router(d.router.Stats())
		return
	}
	s := d.acceptor.Stats()
	tell(t, connectionsMetric, s.Links, "dispatcher")
	tell(t, connectionsMetric, s.Devices, "open")
	t.refused(s.Refused)
}
