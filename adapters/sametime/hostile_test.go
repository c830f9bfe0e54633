package sametime_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"rollcall/adapters/sametime/seal"
	"rollcall/adapters/sametime/stserver"
	"rollcall/adapters/sametime/wire"
	"rollcall/domain"
	"rollcall/domain/broker"
)

// hostile is a server of a few lines that says what a script has it say.
type hostile struct {
	t      *testing.T
	conn   net.Conn
	frames *wire.FrameReader
}

// scripted runs a script for each connection, and gives the address.
func scripted(t *testing.T, script func(*hostile)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			script(&hostile{t, conn, wire.NewFrameReader(conn)})
			_, _ = io.Copy(io.Discard, conn) // until the connector hangs up
			conn.Close()
		}
	}()
	t.Cleanup(func() {
		l.Close()
		<-ended
	})
	return l.Addr().String()
}

// hear takes the client's next message, whatever it is.
func (h *hostile) hear() {
	if _, err := h.frames.Next(); err != nil {
		h.t.Errorf("the connector hung up: %v", err)
	}
}

func (h *hostile) say(messages ...wire.Message) {
	for _, m := range messages {
		b, err := wire.Append(nil, m)
		if err != nil {
			h.t.Error(err)
		}
		h.write(string(b))
	}
}

func (h *hostile) write(text string) {
	_, _ = io.WriteString(h.conn, text) // the connector may have hung up
}

// greet shakes hands.
func (h *hostile) greet() {
	h.hear()
	h.say(&wire.HandshakeAck{Major: wire.Major, Minor: wire.Minor, PublicKey: seal.NewKeyPair().Public()})
	h.hear()
}

// admit also logs in, and takes what follows.
func (h *hostile) admit() {
	h.greet()
	h.say(&wire.LoginAck{Login: wire.LoginInfo{LoginID: "LOGIN", UserID: "alice"}})
	h.hear() // SET_USER_STATUS
	h.hear() // CHANNEL_CREATE of storage
	h.say(&wire.ChannelAccept{Channel: 1, Service: wire.ServiceStorage, Protocol: wire.Protocols[wire.ServiceStorage]})
	h.hear() // storage-load
}

func TestHostileLogins(t *testing.T) {
	notPublic := make([]byte, seal.PublicSize)
	for name, c := range map[string]struct {
		script func(*hostile)
		want   domain.RejectCode
		says   string
	}{
		"an HTTP server": {func(h *hostile) { h.write("HTTP/1.1 400 Bad Request\r\n\r\n") },
			domain.RejectUpstreamRefused, `text that begins with "HTTP"`},
		"100 MB": {func(h *hostile) { h.write("\x06\x40\x00\x00") },
			domain.RejectUpstreamRefused, "104857600 bytes"},
		"garbage": {func(h *hostile) { h.write("\x00\x00\x00\x03abc") },
			domain.RejectUpstreamRefused, "decode header"},
		"nothing but keep-alives": {func(h *hostile) { h.write(strings.Repeat("\x80", 100_000)) },
			domain.RejectUpstreamTimeout, "gave up"},
		"half a message, then silence": {func(h *hostile) { h.write("\x00\x00\x00\x30\x80\x00") },
			domain.RejectUpstreamTimeout, "gave up"},
		"hanging up": {func(h *hostile) { h.hear(); h.conn.Close() },
			domain.RejectUpstreamUnreachable, "closed the connection"},
		"hanging up in the middle": {func(h *hostile) { h.hear(); h.write("\x00\x00\x00\x30\x80\x00"); h.conn.Close() },
			domain.RejectUpstreamUnreachable, "closed the connection"},
		"silence after the handshake": {func(h *hostile) { h.greet() },
			domain.RejectUpstreamTimeout, "gave up"},
		"a handshake cut short": {func(h *hostile) { h.write("\x00\x00\x00\x0a\x80\x00\x00\x00\x00\x00\x00\x00\x00\x1e") },
			domain.RejectUpstreamRefused, "HANDSHAKE_ACK: minor"},
		"other things for an answer": {func(h *hostile) {
			for range 100 {
				h.say(&wire.Admin{Text: "chatter"})
			}
		}, domain.RejectUpstreamRefused, "says other things"},
		"a key that is none": {func(h *hostile) {
			h.hear()
			h.say(&wire.HandshakeAck{Major: wire.Major, Minor: wire.Minor, PublicKey: notPublic})
		}, domain.RejectUpstreamRefused, "public number"},
		"passing on to nowhere": {func(h *hostile) { h.greet(); h.say(&wire.LoginRedirect{Host: "no such host\x00"}) },
			domain.RejectUpstreamUnreachable, "connect to"},
		"passing on for ever": {func(h *hostile) {
			h.greet()
			for range 100 {
				h.say(&wire.LoginRedirect{})
			}
		}, domain.RejectUpstreamRefused, "says other things"},
		"ending it after the login": {func(h *hostile) { h.admit(); h.say(&wire.ChannelDestroy{Reason: wire.UserRestricted}) },
			domain.RejectUpstreamRefused, "may not connect"},
		"silence after the login": {func(h *hostile) { h.admit() },
			domain.RejectUpstreamTimeout, "contact list"},
		"a contact list that is none": {func(h *hostile) {
			h.admit()
			h.say(&wire.ChannelSend{Channel: 1, Kind: 5, Data: []byte("no")})
		}, domain.RejectUpstreamRefused, "storage-loaded"},
	} {
		t.Run(name, func(t *testing.T) {
			settings := domain.Settings{Kind: domain.KindSametime, Address: scripted(t, c.script)}
			ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
			defer cancel()
			in := broker.UpstreamLogin{Settings: settings, Account: "alice", Password: "alice-secret"}
			conv, err := connector().Login(ctx, in, newSink())
			if err == nil {
				_ = conv.Logout(ctx) // the test fails
			}
			if code(err) != c.want || !strings.Contains(err.Error(), c.says) {
				t.Errorf("Login = %v, want %v that says %q", err, c.want, c.says)
			}
			if err != nil && strings.Contains(err.Error(), "alice-secret") {
				t.Errorf("the error holds the password: %v", err)
			}
		})
	}
}

// TestHostileSessions says what is wrong to a conversation that is logged in.
func TestHostileSessions(t *testing.T) {
	frame := func(m wire.Message) string {
		b, err := wire.Append(nil, m)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	for name, c := range map[string]struct {
		raw  string
		want domain.RejectCode
	}{
		"garbage":                                {"\x00\x00\x00\x03abc", domain.RejectUpstreamRefused},
		"100 MB":                                 {"\x06\x40\x00\x00", domain.RejectUpstreamRefused},
		"a message too few":                      {"\x00\x00\x00\x0a\x00\x03\x00\x00\x00\x00\x00\x00\x80\x00", domain.RejectUpstreamRefused},
		"an end with a reason that nobody knows": {frame(&wire.ChannelDestroy{Reason: 0xdeadbeef}), domain.RejectUpstreamRefused},
	} {
		t.Run(name, func(t *testing.T) {
			d, s := start(t, stserver.Config{}), newSink()
			mustLogin(t, d.settings(), "alice", s)
			d.Write(userID("alice"), []byte(c.raw))
			closed := eventually(t, s, "Closed", func(broker.Closed) bool { return true })
			if code(closed.Err) != c.want {
				t.Errorf("Closed = %v, want %v", closed.Err, c.want)
			}
		})
	}
}

// TestWhatMeansNothingIsIgnored says what does not fit to a conversation, which
// goes on.
func TestWhatMeansNothingIsIgnored(t *testing.T) {
	d, s := start(t, stserver.Config{}), newSink()
	mustLogin(t, d.settings(), "alice", s)
	for _, m := range []wire.Message{
		&wire.Unknown{Kind: 0x0777, Body: []byte("new in version 99")},
		&wire.ChannelAccept{Channel: 4711, Service: wire.ServiceIM},
		&wire.ChannelSend{Channel: 4711, Kind: 0x64, Data: []byte("nobody's")},
		&wire.ChannelDestroy{Channel: 4711, Reason: wire.UserGone},
		&wire.SenseService{Service: wire.ServiceAwareness},
		&wire.SetUserStatus{}, &wire.LoginAck{}, &wire.HandshakeAck{}, &wire.LoginRedirect{Host: "elsewhere"},
		&wire.ChannelCreate{Channel: 7, Service: wire.ServiceIM},
	} {
		d.Say(userID("alice"), m)
	}
	_, k := dialClient(t, d.address, "bob", "bob-secret").call(userID("alice"), wire.EncryptOffer{})
	k.say(&wire.InstantMessage{Form: 99})
	k.say(&wire.InstantMessage{Form: wire.FormData, Data: 99, Bytes: []byte{1}})
	k.say(&wire.InstantMessage{Form: wire.FormText, Text: "still here"})
	hears(t, s, userID("bob"), "still here")
}

// TestManyChannels opens more channels than a conversation takes.
func TestManyChannels(t *testing.T) {
	d := start(t, stserver.Config{})
	mustLogin(t, d.settings(), "alice", newSink())
	bob := dialClient(t, d.address, "bob", "bob-secret")
	data, err := wire.Marshal(&wire.IMOffer{Features: wire.IMPlain})
	if err != nil {
		t.Fatal(err)
	}
	const n = 600
	for i := range uint32(n) {
		bob.say(&wire.ChannelCreate{Channel: i + 1, Target: wire.IDBlock{ID: userID("alice")}, Service: wire.ServiceIM, Protocol: wire.Protocols[wire.ServiceIM], Data: data})
	}
	refused := await[*wire.ChannelDestroy](bob)
	if refused.Reason.String() != "STARVING" || refused.Channel < 500 {
		t.Errorf("channel %d was refused with %v, want one above 500 and STARVING", refused.Channel, refused.Reason)
	}
}

// TestSlowSink blocks the sink while more comes than is queued. Sending is refused
// meanwhile, and nothing is lost.
func TestSlowSink(t *testing.T) {
	const n = 400
	d := start(t, stserver.Config{})
	s := &slowSink{sink: newSink(), gate: make(chan struct{})}
	alice := mustLogin(t, d.settings(), "alice", s)
	_, k := dialClient(t, d.address, "bob", "bob-secret").call(userID("alice"), wire.EncryptOffer{})
	for i := range n {
		k.say(&wire.InstantMessage{Form: wire.FormText, Text: string(rune('0' + i%10))})
	}
	refused := &broker.SendError{}
	for i := 0; !strings.Contains(refused.Text, "too much waits"); i++ {
		err := alice.Send(t.Context(), broker.OutgoingMessage{ID: "1", To: fmt.Sprint("nobody ", i), Body: "x"})
		if !errors.As(err, &refused) {
			t.Fatalf("Send = %v, want a *SendError", err)
		}
	}
	close(s.gate)
	for i := 0; i < n; {
		i = 0
		for _, e := range s.all() {
			m, is := e.(broker.MessageReceived)
			if is && m.Body != string(rune('0'+i%10)) {
				t.Fatalf("message %d is %q", i, m.Body)
			}
			if is {
				i++
			}
		}
	}
	mustLogin(t, d.settings(), "carol", newSink())
	send(t, alice, userID("carol"), "and it goes on")
	send(t, alice, "Carol Smith", "by name as well")
}

type slowSink struct {
	*sink
	gate chan struct{}
}

func (s *slowSink) Deliver(seq uint64, e broker.UpstreamEvent) {
	<-s.gate
	s.sink.Deliver(seq, e)
}
