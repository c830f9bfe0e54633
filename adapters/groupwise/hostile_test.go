package groupwise_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"rollcall/adapters/groupwise"
	"rollcall/adapters/groupwise/gwserver"
	"rollcall/adapters/groupwise/wire"
	"rollcall/domain"
	"rollcall/domain/broker"
)

// scripted is a server that answers the first request with bytes and every other
// one with success.
func scripted(t *testing.T, answer []byte) domain.Settings {
	t.Helper()
	certificate, err := gwserver.NewCertificate("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{certificate}})
	if err != nil {
		t.Fatal(err)
	}
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		for requests := wire.NewServerReader(conn); ; {
			r, err := requests.Next()
			if err != nil {
				return
			}
			if n, _ := r.Transaction(); n > 1 {
				answer = wire.Respond(n, wire.OK).Append(nil)
			}
			_, _ = conn.Write(answer) // the next read tells
		}
	}()
	t.Cleanup(func() {
		l.Close()
		<-gone
	})
	return domain.Settings{Kind: domain.KindGroupWise, Address: l.Addr().String(), Options: map[string]string{"pin-sha256": pin(certificate)}}
}

const okHead = "HTTP/1.0 200\r\n\r\n"

func TestHostileServers(t *testing.T) {
	deep := okHead + strings.Repeat("\x09\x00\x02\x00\x00\x00x\x00\x01\x00\x00\x00", 1000)
	wrongTypes := wire.Respond(1, wire.OK, wire.NumberField(wire.TagDN, 7), wire.TextField(wire.TagContactList, "none"))
	for name, c := range map[string]struct {
		answer string
		want   domain.RejectCode // zero: the login succeeds
	}{
		"garbage":                    {"SSH-2.0-OpenSSH_9.2p1\r\n", domain.RejectUpstreamRefused},
		"a web server":               {"HTTP/1.1 400 Bad Request\r\nContent-Length: 30\r\n\r\n<html><body>Bad Request</body>\n", domain.RejectUpstreamRefused},
		"an event nobody knows":      {"\x84\x00\x00\x00\x01\x00\x00\x00\x00", domain.RejectUpstreamRefused},
		"a string of 100 MB":         {okHead + "\x0a\x00\x02\x00\x00\x00x\x00\x00\xe1\xf5\x05abc", domain.RejectUpstreamRefused},
		"deep arrays":                {deep, domain.RejectUpstreamRefused},
		"half a response":            {okHead + "\x0a\x00\x14\x00", domain.RejectUpstreamTimeout},
		"no result":                  {string((&wire.Response{Status: 200, Fields: wire.Fields{wire.TextField(wire.TagTransaction, "1")}}).Append(nil)), domain.RejectUpstreamRefused},
		"no transaction":             {string((&wire.Response{Status: 200}).Append(nil)), domain.RejectUpstreamRefused},
		"another transaction":        {string(wire.Respond(77, wire.OK).Append(nil)), domain.RejectUpstreamTimeout},
		"status 500":                 {string((&wire.Response{Status: 500, Fields: wire.Respond(1, wire.OK).Fields}).Append(nil)), domain.RejectUpstreamRefused},
		"a result that is a number":  {string((&wire.Response{Status: 200, Fields: wire.Fields{wire.NumberField(wire.TagResult, uint32(wire.AuthenticationFailed)), wire.NumberField(wire.TagTransaction, 1)}}).Append(nil)), domain.RejectBadCredentials},
		"a result in hexadecimal":    {string((&wire.Response{Status: 200, Fields: wire.Fields{wire.TextField(wire.TagResult, "D149"), wire.TextField(wire.TagTransaction, "1")}}).Append(nil)), domain.RejectUpstreamRefused},
		"fields of the wrong type":   {string(wrongTypes.Append(nil)), 0},
		"the smallest that is taken": {string(wire.Respond(1, wire.OK).Append(nil)), 0},
		"an event before the answer": {string((&wire.Event{Type: wire.StatusChanged, Source: "cn=x"}).Append(nil)) +
			string(wire.Respond(1, wire.OK).Append(nil)), 0},
	} {
		t.Run(name, func(t *testing.T) {
			settings := scripted(t, []byte(c.answer))
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			v, err := groupwise.New().Login(ctx, broker.UpstreamLogin{Settings: settings, Account: "alice", Password: "s3cret-5Zt8"}, newSink())
			if v != nil {
				defer func() { _ = v.Logout(context.Background()) }() // what is asked here is the login
			}
			if code(err) != c.want || err != nil && strings.Contains(err.Error(), "s3cret") {
				t.Errorf("Login = %v, want the code %v and no password", err, c.want)
			}
		})
	}
}

// TestNonsenseLater has a server go wrong in the middle of a conversation: it is
// closed once, with the reason.
func TestNonsenseLater(t *testing.T) {
	for name, c := range map[string]struct {
		bytes string
		want  domain.RejectCode
	}{
		"garbage":               {"\xff\xff\xff\xff\xff", domain.RejectUpstreamRefused},
		"a status nobody asked": {"HTTP/1.0 404\r\n\r\n\x00", domain.RejectUpstreamRefused},
		"a message of 4 GB":     {"\x6c\x00\x00\x00\xff\xff\xff\xff", domain.RejectUpstreamRefused},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDouble(t, nil)
			v, s := d.login(t, "alice")
			d.TellBytes("alice", []byte(c.bytes))
			if closed := await(t, s, func(broker.Closed) bool { return true }); code(closed.Err) != c.want {
				t.Errorf("Closed with %v, want %v", closed.Err, c.want)
			}
			var refused *broker.SendError
			if err := trySend(v, "bob", "x"); err == nil || errors.As(err, &refused) {
				t.Errorf("Send after Closed = %v, want an error that is no *SendError", err)
			}
		})
	}
}

func TestServerThatDoesNotAnswer(t *testing.T) {
	d := newDouble(t, nil)
	alice, hears := d.login(t, "alice")
	_, bobHears := d.login(t, "bob")
	awaitShow(t, hears, "bob", broker.ShowAvailable)
	d.Ignore(wire.CommandSend, 1)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	var refused *broker.SendError
	if err := alice.Send(ctx, broker.OutgoingMessage{To: "bob", Body: "x"}); !errors.As(err, &refused) {
		t.Errorf("Send without an answer = %v, want a *SendError", err)
	}
	send(t, alice, "bob", "y") // the conversation goes on
	awaitMessage(t, bobHears, "alice", "y")
}

func TestSlowAndSplitWrites(t *testing.T) {
	d := newDouble(t, func(c *gwserver.Config) { c.Writes = gwserver.Shape{Piece: 7, Pause: 10 * time.Microsecond} })
	alice, hears := d.login(t, "alice")
	bob, bobHears := d.login(t, "bob")
	awaitShow(t, hears, "bob", broker.ShowAvailable)
	send(t, alice, "bob", "in pieces")
	awaitMessage(t, bobHears, "alice", "in pieces")
	send(t, bob, "alice", "back in pieces")
	awaitMessage(t, hears, "bob", "back in pieces")
}

func TestCutConnection(t *testing.T) {
	d := newDouble(t, nil)
	_, s := d.login(t, "alice")
	d.Cut("alice")
	if closed := await(t, s, func(broker.Closed) bool { return true }); code(closed.Err) != domain.RejectUpstreamUnreachable {
		t.Errorf("Closed with %v, want upstream-unreachable", closed.Err)
	}
}

// TestServerWithoutTLS has something else listen at the address.
func TestServerWithoutTLS(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		if conn, err := l.Accept(); err == nil {
			_, _ = io.WriteString(conn, "220 mail.example.org ESMTP\r\n") // the client hangs up
			conn.Close()
		}
	}()
	_, err = tryLogin(t, domain.Settings{Kind: domain.KindGroupWise, Address: l.Addr().String()}, "alice", "x", newSink())
	if code(err) != domain.RejectUpstreamRefused || !strings.Contains(err.Error(), "does not speak TLS") {
		t.Errorf("Login = %v, want upstream-refused that says that it is no TLS", err)
	}
	<-gone
}
