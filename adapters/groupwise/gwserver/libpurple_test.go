package gwserver_test

import (
	"net"
	"slices"
	"strings"
	"sync"
	"testing"

	"rollcall/adapters/bitlbeetest"
	"rollcall/adapters/groupwise/gwserver"
)

// purple gives the real client with an account on the server at address.
func purple(t *testing.T, config gwserver.Config, address, user, password string) (*bitlbeetest.Bitlbee, *bitlbeetest.Account) {
	t.Helper()
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	b := bitlbeetest.Start(t)
	b.Trust(host, config.Certificate.Certificate[0])
	a := b.AddAccount("novell", user, `"`+password+`"`)
	a.Set("server", host)
	a.Set("port", port)
	return b, a
}

func TestLibpurpleLogsInAndSeesItsContacts(t *testing.T) {
	_, config, address := start(t, nil)
	alice, a := purple(t, config, address, "alice", users[0].Password)
	a.On()
	alice.Wait(`Logging in: Logged in`)
	bob, b := purple(t, config, address, "bob", users[1].Password)
	b.On()
	bob.Wait(`Logging in: Logged in`)
	alice.Wait(`:bob!\S+ JOIN`)
	alice.Send("bob", "hello bob")
	bob.Wait(`:alice!\S+ PRIVMSG tester :hello bob`)
	bob.Send("alice", "hällo \U0001F600 {back}")
	alice.Wait(`:bob!\S+ PRIVMSG tester :hällo \x{1F600} {back}`)
	alice.Command("blist all")
	alice.Wait(`bob +bob novell +Online`)
	alice.Wait(`carol +carol novell +Offline`)
}

// TestLibpurpleChangesItsContactList adds, moves and removes a contact; the next
// login sees what came of it.
func TestLibpurpleChangesItsContactList(t *testing.T) {
	var mu sync.Mutex
	var commands []string
	_, config, address := start(t, func(c *gwserver.Config) {
		c.Users = append(slices.Clone(users), gwserver.User{ // libpurple loses messages of people it does not know
			Name: "dave", Password: "d", FullName: "Dave D", Contacts: []gwserver.Entry{{Person: "alice"}},
		})
		c.Trace = func(_ int, line string) {
			mu.Lock()
			defer mu.Unlock()
			if command, is := strings.CutPrefix(line, "> "); is {
				name, _, _ := strings.Cut(command, " ")
				commands = append(commands, name)
			}
		}
	})
	alice, a := purple(t, config, address, "alice", users[0].Password)
	a.On()
	alice.Wait(`Logging in: Logged in`)
	alice.Command("add novell dave")
	dave, d := purple(t, config, address, "dave", "d")
	d.On()
	dave.Wait(`Logging in: Logged in`)
	alice.Wait(`:dave!\S+ JOIN`)
	alice.Send("dave", "hello, new one")
	dave.Wait(`PRIVMSG tester :hello, new one`)
	alice.Command("remove carol")
	alice.Wait(`Buddy .carol. .*removed`)
	again, a := purple(t, config, address, "alice", users[0].Password)
	a.On()
	again.Wait(`Logging in: Logged in`)
	again.Command("blist all")
	again.Wait(`dave +dave novell`)
	again.Wait(`2 buddies`)
	mu.Lock()
	defer mu.Unlock()
	for _, command := range []string{"createcontact", "deletecontact"} {
		if !slices.Contains(commands, command) {
			t.Errorf("libpurple never sent %s; it sent %v", command, commands)
		}
	}
}
