package stserver_test

import (
	"net"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"rollcall/adapters/bitlbeetest"
	"rollcall/adapters/sametime/stserver"
	"rollcall/adapters/sametime/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// contacts gives a contact list with one group.
func contacts(users ...string) wire.ContactList {
	g := wire.ContactGroup{ID: "Work", Kind: wire.GroupPrivate, Title: "Work", Open: true}
	for _, u := range users {
		g.Users = append(g.Users, wire.ContactUser{ID: u, Kind: wire.UserInternal, Name: strings.ToUpper(u[:1]) + u[1:]})
	}
	return wire.ContactList{Groups: []wire.ContactGroup{g}}
}

func people() []stserver.Account {
	return []stserver.Account{
		{Name: "alice", Password: "a-secret", Display: "Alice", Contacts: contacts("bob", "carol")},
		{Name: "bob", Password: "b-secret", Display: "Bob", Contacts: contacts("alice", "carol")},
		{Name: "carol", Password: "c-secret", Display: "Carol", Contacts: contacts("alice", "bob")},
	}
}

// start runs a server until the test ends, and gives its address.
func start(t testing.TB, config stserver.Config) (*stserver.Server, string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := stserver.New(config)
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	t.Cleanup(func() {
		s.Close()
		if err := <-served; err != nil {
			t.Errorf("Serve = %v, want nil after Close", err)
		}
	})
	return s, l.Addr().String()
}

// account adds an account on the double to a real client.
func account(b *bitlbeetest.Bitlbee, address, name, password string) *bitlbeetest.Account {
	host, port, _ := net.SplitHostPort(address)
	a := b.AddAccount("meanwhile", name+":"+host, password)
	a.Set("port", port)
	return a
}

// seen collects what clients and server say, as the double observes it.
type seen struct {
	mu     sync.Mutex
	logins []*wire.Login
}

func (s *seen) observe(_ uint64, side wire.Side, frame []byte) {
	if m, err := wire.Decode(append([]byte(nil), frame...)); err == nil && side == wire.FromClient {
		if l, is := m.(*wire.Login); is {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.logins = append(s.logins, l)
		}
	}
}

func TestRealClientsMeet(t *testing.T) {
	var seen seen
	_, address := start(t, stserver.Config{Accounts: people(), Observe: seen.observe})
	alice, bob := bitlbeetest.Start(t), bitlbeetest.Start(t)
	account(alice, address, "alice", "a-secret").On()
	alice.Wait(`Logged in`)
	account(bob, address, "bob", "b-secret").On()
	bob.Wait(`Logged in`)
	alice.Wait(`:bob!\S+ JOIN`)
	bob.Wait(`:alice!\S+ JOIN`)
	alice.Send("bob", "hello bob, ünï")
	bob.Wait(`^:alice!\S+ PRIVMSG .*:hello bob, ünï$`)
	bob.Send("alice", "hello alice")
	alice.Wait(`^:bob!\S+ PRIVMSG .*:hello alice$`)
	for _, l := range seen.logins {
		if l.AuthType != wire.AuthRC2DH {
			t.Errorf("%s logged in with %#x, want the key exchange", l.Name, l.AuthType)
		}
	}
}
