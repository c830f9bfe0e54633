package gwserver_test

import (
	"net"
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
