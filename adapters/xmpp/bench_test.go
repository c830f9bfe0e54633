package xmpp_test

import (
	"fmt"
	"runtime"
	"testing"

	"rollcall/adapters/xmpp"
	"rollcall/adapters/xmpp/xmpptest"
	"rollcall/domain/broker"
)

// BenchmarkLogin is one login at a real server and its logout, and what a
// session holds while it is idle: heap and stacks, by TLS as a service has it.
func BenchmarkLogin(b *testing.B) {
	server := xmpptest.StartProsody(b, nil)
	var users []xmpptest.User // nobody hears of anybody else
	for i := range 500 {
		users = append(users, xmpptest.Users(fmt.Sprint("user", i))...)
		server.AddUser(b, users[i])
	}
	connector := xmpp.New()
	var open []broker.Conversation
	before := inUse()
	for b.Loop() {
		u := users[len(open)%len(users)]
		in := broker.UpstreamLogin{Settings: server.Settings(), Account: u.Address(), Password: u.Password}
		conv, err := connector.Login(b.Context(), in, discard{})
		if err != nil {
			b.Fatal(err)
		}
		open = append(open, conv)
	}
	b.ReportMetric(float64(inUse()-before)/float64(len(open)), "B/session")
	for _, conv := range open {
		if err := conv.Logout(b.Context()); err != nil {
			b.Error(err)
		}
	}
}

type discard struct{}

func (discard) Deliver(uint64, broker.UpstreamEvent) {}

func inUse() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse + m.StackInuse
}
