package sametime_test

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/adapters/bitlbeetest"
	"rollcall/adapters/sametime/seal"
	"rollcall/adapters/sametime/stserver"
	"rollcall/adapters/sametime/wire"
	"rollcall/domain"
	"rollcall/domain/broker"
)

// record keeps what clients and server say, as the double observes it.
type record struct {
	mu    sync.Mutex
	lines []recorded
}

type recorded struct {
	client uint64
	side   wire.Side
	m      wire.Message
}

func (r *record) observe(client uint64, side wire.Side, frame []byte) {
	m, err := wire.Decode(slices.Clone(frame))
	if err != nil {
		return // the double ends the connection, which the test sees
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lines = append(r.lines, recorded{client, side, m})
}

// said gives the messages of one kind from one side, by client.
func said[M wire.Message](r *record, side wire.Side) map[uint64][]M {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := make(map[uint64][]M)
	for _, l := range r.lines {
		if m, is := l.m.(M); is && l.side == side {
			all[l.client] = append(all[l.client], m)
		}
	}
	return all
}

// realClient logs bob in with a real client.
func realClient(t *testing.T, address, password string) (*bitlbeetest.Bitlbee, *bitlbeetest.Account) {
	t.Helper()
	b := bitlbeetest.Start(t)
	host, port, _ := net.SplitHostPort(address)
	a := b.AddAccount("meanwhile", "bob:"+host, password)
	a.Set("port", port)
	a.On()
	return b, a
}

// nextNick gives what the real client calls the next one who comes.
func nextNick(b *bitlbeetest.Bitlbee) string { return b.Wait(`^:(\S+)!\S+ JOIN`)[1] }

// TestMeetsARealClient lets a conversation and a real client talk with each other,
// with each encryption of the channel between them, whoever opens it.
func TestMeetsARealClient(t *testing.T) {
	for _, c := range []struct {
		cipher string
		chosen wire.EncryptMode
	}{
		{"any", wire.EncryptRC2_128},
		{"rc2-40", wire.EncryptRC2_40},
		{"none", wire.EncryptNone},
	} {
		for _, first := range []string{"the real client", "the connector"} {
			t.Run(c.cipher+" opened by "+first, func(t *testing.T) {
				t.Parallel()
				meet(t, c.cipher, c.chosen, first == "the connector")
			})
		}
	}
}

func meet(t *testing.T, cipher string, chosen wire.EncryptMode, weBegin bool) {
	var said record
	d := start(t, stserver.Config{Observe: said.observe})
	bob, account := realClient(t, d.address, "bob-secret")
	bob.Wait(`Logged in`)
	s := newSink()
	alice := mustLogin(t, d.settings("im-encryption", cipher), "alice", s)
	sees(t, s, userID("bob"), broker.ShowAvailable)
	nick := nextNick(bob)
	toBob := func() {
		send(t, alice, userID("bob"), "hello bob, ünï 🙂")
		bob.Wait(`^:` + nick + `!\S+ PRIVMSG .*:hello bob, ünï 🙂$`)
		send(t, alice, userID("bob"), "second to bob")
		bob.Wait(`PRIVMSG .*:second to bob$`)
	}
	toAlice := func() {
		bob.Typing(nick, true)
		bob.Send(nick, "hello alice, ünï <&>")
		hears(t, s, userID("bob"), "hello alice, ünï <&>")
		bob.Send(nick, "second to alice")
		hears(t, s, userID("bob"), "second to alice")
	}
	if weBegin {
		toBob()
		toAlice()
	} else {
		toAlice()
		toBob()
	}
	said.checkCipher(t, chosen)
	bob.Command("set away Lunch")
	sees(t, s, userID("bob"), broker.ShowAway)
	statusSeen(t, alice, bob, nick)
	again := newSink()
	mustLogin(t, d.settings(), "alice", again)
	sees(t, again, userID("bob"), broker.ShowAway)
	account.Off()
	sees(t, again, userID("bob"), broker.ShowOffline)
}

// checkCipher checks that channels for messages were encrypted as they should be.
func (r *record) checkCipher(t *testing.T, chosen wire.EncryptMode) {
	t.Helper()
	channels := 0
	for _, accepts := range said[*wire.ChannelAccept](r, wire.FromServer) {
		for _, a := range accepts {
			if a.Service != wire.ServiceIM {
				continue
			}
			if channels++; a.Encryption.Mode != chosen {
				t.Errorf("a channel was accepted with %#x, want %#x", a.Encryption.Mode, chosen)
			}
		}
	}
	if channels == 0 {
		t.Error("no channel was accepted")
	}
}

func statusSeen(t *testing.T, alice broker.Conversation, bob *bitlbeetest.Bitlbee, nick string) {
	t.Helper()
	if err := alice.SetPresence(t.Context(), broker.OwnPresence{Show: broker.ShowAway, Text: "at lunch"}); err != nil {
		t.Fatal(err)
	}
	bob.Wait(`MODE &bitlbee -v ` + nick)
	if err := alice.SetPresence(t.Context(), broker.OwnPresence{Show: broker.ShowAvailable}); err != nil {
		t.Fatal(err)
	}
	bob.Wait(`MODE &bitlbee \+v ` + nick)
	if err := alice.Logout(t.Context()); err != nil {
		t.Errorf("Logout = %v", err)
	}
	bob.Wait(`^:` + nick + `!\S+ QUIT`)
}

// TestRefusalsLookAlike lets both a real client and the connector tell a wrong
// password from a server that is not there.
func TestRefusalsLookAlike(t *testing.T) {
	d := start(t, stserver.Config{})
	t.Run("a wrong password", func(t *testing.T) {
		bob, _ := realClient(t, d.address, "wrong")
		bob.Wait(`Login error: .*(Incorrect Username/Password|rname or password)`)
		in := broker.UpstreamLogin{Settings: d.settings(), Account: "bob", Password: "wrong"}
		if _, err := connector().Login(t.Context(), in, newSink()); code(err) != domain.RejectBadCredentials {
			t.Errorf("Login = %v, want bad-credentials", err)
		}
	})
	t.Run("a dead server", func(t *testing.T) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		address := l.Addr().String()
		l.Close()
		bob, _ := realClient(t, address, "bob-secret")
		line := bob.Wait(`Login error: .*`)[0]
		if strings.Contains(line, "assword") {
			t.Errorf("the real client calls a dead server %q", line)
		}
		in := broker.UpstreamLogin{Settings: domain.Settings{Kind: domain.KindSametime, Address: address}, Account: "bob", Password: "bob-secret"}
		if _, err := connector().Login(t.Context(), in, newSink()); code(err) != domain.RejectUpstreamUnreachable {
			t.Errorf("Login = %v, want upstream-unreachable", err)
		}
	})
}

// TestLoginLooksAlike compares what a real client and the connector send until they
// are logged in. docs/protocols/sametime.md lists and explains the differences.
func TestLoginLooksAlike(t *testing.T) {
	var r record
	d := start(t, stserver.Config{Observe: r.observe})
	bob, _ := realClient(t, d.address, "bob-secret")
	bob.Wait(`Logged in`)
	mustLogin(t, d.settings(), "bob", newSink())
	real, ours := r.loginOf(t, 1), r.loginOf(t, 2)
	if len(ours) != 3 {
		t.Errorf("the connector says %q, want a handshake and a login", ours)
	}
	if diff := cmp.Diff(real, ours); diff != "" {
		t.Errorf("login (-real client +connector):\n%s", diff)
	}
}

// loginOf gives what a client sent until it was logged in, as traces; of what it
// proved itself with, what does not depend on chance.
func (r *record) loginOf(t *testing.T, client uint64) (lines []string) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, l := range r.lines {
		if l.client != client || l.side != wire.FromClient {
			continue
		}
		m, is := l.m.(*wire.Login)
		if !is {
			lines = append(lines, wire.Trace(l.m))
			continue
		}
		var auth wire.DHAuth
		if err := wire.Unmarshal(m.Auth, &auth); err != nil || len(auth.PublicKey) > seal.PublicSize {
			t.Fatalf("client %d proves itself with %s, %v", client, wire.Trace(&auth), err)
		}
		proof := fmt.Sprintf("beside the public number %d bytes, %d of them sealed", len(m.Auth)-len(auth.PublicKey), len(auth.Sealed))
		bare := *m
		bare.Auth = nil
		return append(lines, wire.Trace(&bare), proof)
	}
	return lines
}
