package local_test

import (
	"context"
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"

	"rollcall/adapters/local"
	"rollcall/domain"
	"rollcall/domain/broker"
)

type discard struct{}

func (discard) Deliver(uint64, broker.UpstreamEvent) {}

// BenchmarkLogin logs one account in and out, at each cost of the hash.
func BenchmarkLogin(b *testing.B) {
	for name, cost := range map[string]local.Cost{"cheap": local.CheapCost, "default": local.DefaultCost} {
		b.Run(name, func(b *testing.B) {
			c, _, path := newConnector(b)
			store, err := local.OpenStore(path, cost)
			if err != nil {
				b.Fatal(err)
			}
			if err := store.SetPassword("alice", password("alice")); err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				v, err := c.Login(context.Background(), broker.UpstreamLogin{Settings: settings, Account: "alice", Password: password("alice")}, discard{})
				if err != nil {
					b.Fatal(err)
				}
				if err := v.Logout(context.Background()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// forgetful acknowledges what it is given, and keeps nothing.
type forgetful struct {
	conv atomic.Pointer[broker.Conversation]
}

func (f *forgetful) Deliver(seq uint64, _ broker.UpstreamEvent) {
	if conv := f.conv.Load(); conv != nil {
		(*conv).Acknowledge(seq)
	}
}

// BenchmarkSend sends from one session to another that takes at once, and waits
// until that has it.
func BenchmarkSend(b *testing.B) {
	c, _, _ := newConnector(b)
	alice := login(b, c, "alice", discard{})
	var sink forgetful
	bob := login(b, c, "bob", &sink)
	sink.conv.Store(&bob)
	b.ReportAllocs()
	for b.Loop() {
		if err := alice.Send(context.Background(), broker.OutgoingMessage{ID: "m", To: "bob", Body: "hello"}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkIdleConversation reports the memory and the goroutines of an idle
// conversation, among 1,000 of as many accounts.
func BenchmarkIdleConversation(b *testing.B) {
	const n = 1000
	c, store, _ := newConnector(b)
	accounts := make([]local.NewAccount, n)
	for i := range accounts {
		accounts[i] = local.NewAccount{Name: fmt.Sprint("user-", i), Password: "x"}
	}
	if err := store.Add(accounts...); err != nil {
		b.Fatal(err)
	}
	for name, options := range map[string]map[string]string{"everybody": nil, "nobody": {"roster": "nobody"}} {
		b.Run("roster="+name, func(b *testing.B) {
			s := domain.Settings{Kind: domain.KindLocal, Options: options}
			for b.Loop() {
				before, goroutines := inUse(), runtime.NumGoroutine()
				all := make([]broker.Conversation, n)
				for i, a := range accounts {
					var err error
					if all[i], err = c.Login(context.Background(), broker.UpstreamLogin{Settings: s, Account: a.Name, Password: "x"}, discard{}); err != nil {
						b.Fatal(err)
					}
				}
				for runtime.NumGoroutine() > goroutines {
					runtime.Gosched()
				}
				b.ReportMetric(float64(inUse()-before)/n, "B/conversation")
				b.ReportMetric(float64(runtime.NumGoroutine()-goroutines)/n, "goroutines/conversation")
				for _, v := range all {
					if err := v.Logout(context.Background()); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}

func inUse() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
