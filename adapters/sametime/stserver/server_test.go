package stserver_test

import (
	"net"
	"strings"
	"testing"
	"time"

	"rollcall/adapters/bitlbeetest"
	"rollcall/adapters/sametime/stserver"
	"rollcall/adapters/sametime/wire"
)

// client speaks to the double without a client's manners.
type client struct {
	t      *testing.T
	conn   net.Conn
	frames *wire.FrameReader
}

func dial(t *testing.T, address string) *client {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return &client{t, conn, wire.NewFrameReader(conn)}
}

func (c *client) say(m wire.Message) {
	c.t.Helper()
	b, err := wire.Append(nil, m)
	if err != nil {
		c.t.Fatal(err)
	}
	if _, err := c.conn.Write(b); err != nil {
		c.t.Fatal(err)
	}
}

// hear gives the trace of the next message, or why there is none.
func (c *client) hear() string {
	frame, err := c.frames.Next()
	if err != nil {
		return err.Error()
	}
	m, err := wire.Decode(frame)
	if err != nil {
		return err.Error()
	}
	return wire.Trace(m)
}

func (c *client) expect(beginning string) {
	c.t.Helper()
	if got := c.hear(); !strings.HasPrefix(got, beginning) {
		c.t.Errorf("the double says %s, want %s…", got, beginning)
	}
}

func (c *client) login(name, password string) {
	c.t.Helper()
	c.say(&wire.Handshake{Major: wire.Major, Minor: wire.Minor})
	c.expect("HANDSHAKE_ACK major=0x001e minor=0x001d")
	auth, err := wire.Marshal(&wire.PlainAuth{Password: password})
	if err != nil {
		c.t.Fatal(err)
	}
	c.say(&wire.Login{Name: name, Auth: auth})
}

func TestSessionLimit(t *testing.T) {
	s, address := start(t, stserver.Config{Accounts: people(), MaxSessions: 1})
	first := dial(t, address)
	first.login("alice", "a-secret")
	first.expect("LOGIN_ACK")
	second := dial(t, address)
	second.login("bob", "b-secret")
	second.expect("CHANNEL_DESTROY channel=0x0 reason=SERVER_FULL")
	s.SetMaxSessions(0)
	third := dial(t, address)
	third.login("bob", "b-secret")
	third.expect("LOGIN_ACK")
	if got := s.Sessions(); got != 2 {
		t.Errorf("Sessions = %d, want 2", got)
	}
}

// TestClientsWithoutManners says what no client should.
func TestClientsWithoutManners(t *testing.T) {
	_, address := start(t, stserver.Config{Accounts: people()})
	for name, c := range map[string]struct {
		raw  string
		want string
	}{
		"an HTTP request":       {"GET / HTTP/1.1\r\n\r\n", "EOF"},
		"garbage":               {"\x00\x00\x00\x03abc", "EOF"},
		"a logout before all":   {"\x00\x00\x00\x0c\x00\x03\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", "EOF"},
		"a status before login": {"\x00\x00\x00\x10\x00\x09\x00\x00\x00\x00\x00\x00\x00\x20\x00\x00\x00\x00\x00\x00" + "\x00\x00\x00\x0c\x00\x03\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", "EOF"},
	} {
		client := dial(t, address)
		if _, err := client.conn.Write([]byte(c.raw)); err != nil {
			t.Fatal(err)
		}
		if got := client.hear(); got != c.want && !strings.Contains(got, "reset") {
			t.Errorf("%s: the double says %s, want %s", name, got, c.want)
		}
	}
	in := dial(t, address)
	in.login("alice", "a-secret")
	in.expect("LOGIN_ACK")
	in.say(&wire.ChannelCreate{Channel: 1 | wire.ServerChannel, Service: wire.ServiceStorage})
	in.expect("CHANNEL_DESTROY channel=0x80000001 reason=PROTOCOL_ERROR")
	in.say(&wire.ChannelCreate{Channel: 1, Service: 0x4711})
	in.expect("CHANNEL_DESTROY channel=0x1 reason=SERVICE_NO_SUPPORT")
	in.say(&wire.ChannelCreate{Channel: 2, Service: wire.ServiceStorage})
	in.expect("CHANNEL_ACCEPT channel=0x2")
	in.say(&wire.ChannelSend{Channel: 2, Kind: 6, Data: []byte("nonsense")})
	in.expect("CHANNEL_DESTROY channel=0x2 reason=PROTOCOL_ERROR")
}

func TestStorage(t *testing.T) {
	s, address := start(t, stserver.Config{Accounts: people()})
	in := dial(t, address)
	in.login("alice", "a-secret")
	in.expect("LOGIN_ACK")
	in.say(&wire.ChannelCreate{Channel: 1, Service: wire.ServiceStorage})
	in.expect("CHANNEL_ACCEPT")
	for _, m := range []wire.ServiceMessage{
		&wire.StorageSave{Request: 7, Items: []wire.StorageItem{{Key: 0x50, Value: []byte("gone;")}}},
		&wire.StorageLoad{Request: 8, Key: 0x50},
		&wire.StorageLoad{Request: 9, Key: 0x5a},
	} {
		data, err := wire.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		in.say(&wire.ChannelSend{Channel: 1, Kind: m.Kind(), Data: data})
	}
	in.expect("CHANNEL_SEND channel=0x1 kind=0x0007 data=<0000000700000000>")
	in.expect("CHANNEL_SEND channel=0x1 kind=0x0005 data=<0000000800000000000000010000001d0000005000000005676f6e653b>")
	in.expect("CHANNEL_SEND channel=0x1 kind=0x0005 data=<000000090000000000000000>")
	if value, ok := s.Stored("alice", 0x50); string(value) != "gone;" || !ok {
		t.Errorf("Stored = %q, %t", value, ok)
	}
	if _, ok := s.Stored("alice", 0x5a); ok {
		t.Error("something is stored that never was")
	}
}

// TestRealClientIsTold has the double refuse a real client, and end its session.
func TestRealClientIsTold(t *testing.T) {
	s, address := start(t, stserver.Config{Accounts: people()})
	s.SetFaults(stserver.Faults{Counters: true, SlowWrites: true})
	b := bitlbeetest.Start(t)
	account(b, address, "alice", "a-secret").On()
	b.Wait(`Logged in`)
	s.SetFaults(stserver.Faults{RefuseLogin: wire.UserRestricted})
	s.Kick("alice", wire.UserRemoved)
	b.Wait(`(User Removed|[Rr]emoved|Signing off|Login error)`)
}
