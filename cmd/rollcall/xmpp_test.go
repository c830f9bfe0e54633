package main

import (
	"strings"
	"testing"

	"rollcall/adapters/control"
	"rollcall/adapters/xmpp/xmpptest"
)

// xmppHouse is an appliance in front of a real Prosody, with a device for each
// user, by the user's name.
func xmppHouse(t *testing.T, users ...string) (*house, *xmpptest.Prosody, map[string]string) {
	t.Helper()
	server := xmpptest.StartProsody(t, xmpptest.Users(users...))
	h := newHouse(t)
	h.rollcall("service", "set", "chat", "--kind", "xmpp", "--address", server.Addr,
		"--option", "ca-file="+server.CAFile, "--option", "plain=never", "--option", "resume=off")
	h.open()
	identities := make(map[string]string)
	for _, user := range users {
		identities[user] = h.join(user, "chat:"+user+"@"+xmpptest.Domain)
	}
	return h, server, identities
}

func (h *house) chat(identities map[string]string, user string) clientProcess {
	h.t.Helper()
	return h.login(identities[user], "chat", user+"@"+xmpptest.Domain)
}

func TestXMPPThroughTheBroker(t *testing.T) {
	h, server, identities := xmppHouse(t, "alice", "bob", "carol")

	// The option keeps PLAIN away: who gets in has used SCRAM, over STARTTLS.
	alice := h.chat(identities, "alice")
	alice.accepted()
	alice.await(`"event":"roster".*"address":"bob@xmpp.test"`)
	bob := h.chat(identities, "bob")
	bob.accepted()
	alice.await(`"event":"presence".*"contact":"bob@xmpp.test","show":"available"`)

	// Both ways, between the two, and with somebody outside of the broker.
	alice.send("bob@xmpp.test", "to bob")
	bob.hears("alice@xmpp.test", "to bob")
	bob.send("alice@xmpp.test", "to alice")
	alice.hears("bob@xmpp.test", "to alice")
	carol := xmpptest.Dial(t, server, "carol@xmpp.test", "pw-carol")
	alice.await(`"event":"presence".*"contact":"carol@xmpp.test","show":"available"`)
	carol.Say(t, "<message type='chat' to='alice@xmpp.test'><body>from outside</body></message>")
	alice.hears("carol@xmpp.test", "from outside")
	alice.send("carol@xmpp.test", "to the outside")
	carol.Hear(t, "to the outside")

	// A device that dies comes back to everything, once, in order.
	session := alice.accepted()
	alice.kill()
	h.state("alice@xmpp.test", control.StateOutOfCoverage)
	carol.Say(t, "<message type='chat' to='alice@xmpp.test'><body>first</body></message>")
	carol.Say(t, "<message type='chat' to='alice@xmpp.test'><body>second</body></message>")
	again := clientProcess{start(t, h.env(), "client", "resume", "--identity", identities["alice"], "-o", "json", "--stay")}
	if got := again.accepted(); got != session {
		t.Errorf("session %s was resumed, want %s", got, session)
	}
	again.hears("carol@xmpp.test", "second")
	carol.Say(t, "<message type='chat' to='alice@xmpp.test'><body>last</body></message>")
	again.hears("carol@xmpp.test", "last")
	messages := strings.Count(again.text(), `"event":"message"`)
	if messages != 3 || strings.Index(again.text(), "first") > strings.Index(again.text(), "second") {
		t.Errorf("after the resume came %d messages, want first, second and last:\n%s", messages, again.text())
	}

	// The server restarts under us: a typed ending, the device told.
	server.Restart(t)
	again.await(`"event":"ended".*"cause":"upstream-closed"`)
	again.wantExit(exitEnded)
	bob.wantExit(exitEnded)
	if rows := h.rollcall("audit", "log", "--type", "session-ended"); strings.Count(rows, "cause=upstream-closed") != 2 {
		t.Errorf("the log has the endings as\n%s", rows)
	}
}

func TestXMPPWrongPassword(t *testing.T) {
	h, _, identities := xmppHouse(t, "alice")
	p := start(t, h.env(), "client", "login", "--identity", identities["alice"], "--service", "chat", "--account", "alice@xmpp.test", "-o", "json")
	p.say("wrong")
	p.await(`"event":"rejected".*"code":"bad-credentials"`)
	p.wantExit(exitRefused)
	for _, text := range []string{p.text(), h.serve.text(), h.rollcall("audit", "log", "-o", "json")} {
		if strings.Contains(text, `"wrong"`) {
			t.Errorf("the password is printed in\n%s", text)
		}
	}
}

func TestXMPPLimits(t *testing.T) {
	h, _, identities := xmppHouse(t, "alice", "bob", "carol")
	h.rollcall("service", "set", "chat", "--max-sessions", "2", "--idle-timeout", "3s")
	alice, bob := h.chat(identities, "alice"), h.chat(identities, "bob")
	alice.accepted()
	bob.accepted()
	h.chat(identities, "carol").wantExit(exitBusy)

	// One that is silent for the idle timeout makes room.
	bob.kill()
	h.state("bob@xmpp.test", control.StateOutOfCoverage)
	check(t, eventually(t.Context(), func() error {
		carol := h.chat(identities, "carol")
		if err := carol.isAccepted(); err != nil {
			return err
		}
		t.Cleanup(carol.kill)
		return nil
	}))
	back := start(t, h.env(), "client", "resume", "--identity", identities["bob"], "-o", "json", "--stay")
	back.await(`"event":"ended".*"cause":"idled-out"`)
	back.wantExit(exitEnded)

	// Without a maximum, the total is what limits.
	h.rollcall("service", "unset", "chat", "max-sessions")
	h.rollcall("service", "set", "chat", "--protocol-total", "2")
	h.chat(identities, "bob").wantExit(exitFailed300)
	alice.say(`{"logout":{}}`)
	alice.wantExit(exitOK)
}

// isAccepted waits until a login is answered, and gives an error where it was
// refused.
func (c clientProcess) isAccepted() error {
	c.t.Helper()
	answer := c.await(`"event":"(accepted|rejected)".*`)
	if answer[1] == "accepted" {
		return nil
	}
	c.exit()
	return errNotYet(answer[0])
}

type errNotYet string

func (e errNotYet) Error() string { return string(e) }
