package whole_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"testing"
	"time"

	"rollcall/adapters/device"
	"rollcall/adapters/local"
	"rollcall/adapters/xmpp"
	"rollcall/domain"
	"rollcall/domain/broker"
	"rollcall/eventstore/boltlog"
)

const password = "correct horse"

// house is an appliance without its doors: the log on disk, the broker, the
// built-in service with a cheap password hash, and nobody in anybody's roster.
type house struct {
	*broker.Broker
	tb  testing.TB
	log *boltlog.Log
	key device.Key
	// links are what listen serves.
	links *device.Server
}

func name(i int) string { return fmt.Sprint("user-", i) }

// newHouse gives a house in which so many people have an account.
func newHouse(tb testing.TB, people int) *house {
	dir, logger := tb.TempDir(), slog.New(slog.DiscardHandler)
	log := must(boltlog.Open(dir, boltlog.Options{}))(tb)
	accounts := must(local.OpenStore(filepath.Join(dir, "accounts"), local.CheapCost))(tb)
	all := make([]local.NewAccount, people)
	for i := range all {
		all[i] = local.NewAccount{Name: name(i), Password: password}
	}
	check(tb, accounts.Add(all...))
	b := must(broker.Open(tb.Context(), broker.Config{Log: log, Connectors: []broker.Connector{local.New(accounts, logger), xmpp.New()}, Version: "bench", Openings: broker.Rate{Every: -1}}))(tb)
	tb.Cleanup(func() {
		check(tb, b.Stop(context.Background()))
		check(tb, log.Close())
	})
	check(tb, b.Start(tb.Context()))
	settings := domain.Settings{Kind: domain.KindLocal, Options: map[string]string{"roster": "nobody"}}
	must(b.ConfigureService(tb.Context(), "im", settings))(tb)
	key := must(device.NewKey())(tb)
	return &house{b, tb, log, key, device.NewServer(device.Config{Devices: b, Key: key})}
}

// offer gives the secret with which a device of that person is enrolled.
func (h *house) offer(i int) []byte {
	offered := must(h.OfferEnrolment(h.tb.Context(), broker.Offer{
		Person: name(i), ValidFor: time.Hour, Accounts: []broker.AccountRef{{Service: "im", Account: name(i)}},
	}))(h.tb)
	return offered.Secret
}

// device enrols a device that no link will ever lead to.
func (h *house) device(i int) domain.DeviceID {
	key := make([]byte, 32)
	rand.Read(key)
	return must(h.Enrol(h.tb.Context(), broker.Enrolment{Secret: h.offer(i), Key: key}))(h.tb)
}

// listen takes device links on a loopback port, and gives its address.
func (h *house) listen() string {
	listener := must(net.Listen("tcp", "127.0.0.1:0"))(h.tb)
	ctx, cancel := context.WithCancel(context.Background())
	h.tb.Cleanup(func() { cancel(); listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return // the benchmark is over
			}
			go h.links.Serve(ctx, conn, conn.RemoteAddr().String())
		}
	}()
	return listener.Addr().String()
}

// enrolment gives the enrolment string for a device of that person.
func (h *house) enrolment(i int, address string) string {
	e := device.Enrolment{ServerKey: h.key.Public(), Address: address, Secret: h.offer(i)}
	return must(e.Reveal())(h.tb)
}

func must[T any](v T, err error) func(testing.TB) T {
	return func(tb testing.TB) T {
		tb.Helper()
		check(tb, err)
		return v
	}
}

func check(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}
