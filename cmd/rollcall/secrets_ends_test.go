package main

import (
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"rollcall/adapters/xmpp/xmpptest"
)

// bare gives the address of an XMPP server that offers to take a password without
// STARTTLS.
func bare(t *testing.T) string {
	const offer = "<?xml version='1.0'?><stream:stream from='" + xmpptest.Domain + "' id='1' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>" +
		"<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism></mechanisms></stream:features>"
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				_, _ = io.WriteString(conn, offer) // whoever comes may be gone
				_, _ = io.Copy(io.Discard, conn)
			}()
		}
	}()
	return ln.Addr().String()
}

// cutLinks has the device's link break inside its login, and behind it.
func (a *aviary) cutLinks() {
	a.t.Helper()
	a.rollcall("service", "set", "roomy", "--kind", "local")
	front := newBreaker(a.t, a.door.addr())
	for point, at := range map[string]cut{
		"a link that is cut in front of the login": {after: 40},
		"a link that is cut within the login":      {after: 200},
		"a link that is cut behind the login":      {after: 48, received: true},
		"a link that is cut within the answer":     {after: 100, received: true},
	} {
		account := fmt.Sprintf("cut-%d", at.after)
		a.user(account, a.canary(point).password())
		identity := a.deviceOf("Device "+account, "roomy:"+account, front.addr())
		front.plan(at)
		// What is closed behind the handshake looks like a device that is not enrolled.
		if code := a.letOut(point, identity, "roomy", account).exit(); code != exitNoCoverage && code != exitNotPermitted {
			a.t.Errorf("%s: exit code %d", point, code)
		}
		front.plan()
		again := a.letOut(point, identity, "roomy", account)
		again.accepted()
		again.signal(syscall.SIGINT) // logs out
		again.wantExit(exitOK)
	}
}

// endings has logins ended from outside while they are under way: by an operator,
// and by a stop of the appliance.
func (a *aviary) endings() {
	a.t.Helper()
	account := "ada@" + xmpptest.Domain
	slow := a.device("Slow", "deaf:"+account)
	waiting := a.letOut("a login that an operator ends", slow, "deaf", account)
	id := a.pending(1)[0]
	check(a.t, a.operator().EndSession(a.t.Context(), id))
	waiting.wantExit(exitNoCoverage)

	waiting = a.letOut("an appliance that is stopped during a login", slow, "deaf", account)
	a.pending(1)
	a.serve.signal(syscall.SIGTERM)
	waiting.wantExit(exitNoCoverage)
	a.serve.wantExit(exitOK)
	a.reopen()
}

// lostSecrets has a device come back with a secret that is not its session's.
func (a *aviary) lostSecrets() {
	a.t.Helper()
	const point = "a device that comes back with a wrong secret"
	a.user("lost", a.canary(point).password())
	identity := a.device("Lost", "roomy:lost")
	inside := a.letOut(point, identity, "roomy", "lost")
	inside.accepted()
	inside.kill()
	secret := a.noteResume("roomy", identity)
	text, err := os.ReadFile(identity)
	check(a.t, err)
	kept, wrong := base64.StdEncoding.EncodeToString(secret), base64.StdEncoding.EncodeToString(make([]byte, len(secret)))
	check(a.t, os.WriteFile(identity, []byte(strings.ReplaceAll(string(text), kept, wrong)), 0o600))
	a.client("resume", "--identity", identity).wantExit(exitEnded)
}

// split has a login come through router and dispatcher, to a service in a process
// of its own, with the right password and with a wrong one. The appliance's own
// door is open again behind it.
func (a *aviary) split() {
	a.t.Helper()
	const point, account = "a login through router and dispatcher", "through"
	a.user(account, a.canary(point).password())
	a.shut()
	folder := filepath.Join(filepath.Dir(a.data), "dispatcher")
	first := a.play("dispatcher", "--data", folder)
	pin := first.await(`the dispatcher's pin.* pin="?(sha256:[^" ]+)`)[1]
	first.wantExit(exitConfig)
	a.serve = a.play("serve", "--remote-dispatchers", "--collaboration", "127.0.0.1:0", "--dispatchers", pin)
	link := a.serve.await(`dispatchers connect here.* collaboration=(\S+) pin="?(sha256:[^" ]+)`)
	d := a.play("dispatcher", "--data", folder, "--listen", "127.0.0.1:0", "--collaboration", a.wire("the collaboration service", link[1]), "--service-pin", link[2])
	front := a.wire("the dispatcher", d.await(`the dispatcher is ready.* listen=(\S+)`)[1])
	d.await(`the link to the collaboration service is up`)
	r := a.play("router", "--listen", "127.0.0.1:0", "--dispatcher", front)
	door := a.wire("the router", r.await(`the router is ready.* listen=(\S+)`)[1])

	stranger := a.deviceOf("Stranger", "roomy:"+account, door)
	a.letOut("a wrong password through router and dispatcher", stranger, "roomy", account).wantExit(exitRefused)
	identity := a.deviceOf("Through", "roomy:"+account, door)
	inside := a.letOut(point, identity, "roomy", account)
	inside.accepted()
	a.noteResume("roomy", identity)
	inside.signal(syscall.SIGINT) // logs out
	inside.wantExit(exitOK)
	for _, p := range []*process{r, d, a.serve} {
		p.signal(syscall.SIGTERM)
		p.wantExit(exitOK)
	}
	a.reopen()
}

// play starts a role, with a log of everything, whose output is kept.
func (a *aviary) play(args ...string) *process {
	a.t.Helper()
	p := start(a.t, a.env(), args...)
	a.processes = append(a.processes, p)
	return p
}
