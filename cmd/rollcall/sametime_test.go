package main

import (
	"net"
	"strings"
	"syscall"
	"testing"

	"rollcall/adapters/bitlbeetest"
	"rollcall/adapters/control"
)

// sametimeHouse is an appliance in front of a Sametime double, a process of its
// own, with a device for each user, by the user's name.
func sametimeHouse(t *testing.T, users ...string) (h *house, double *process, address string, identities map[string]string) {
	t.Helper()
	args := []string{"double", "sametime", "--listen", "127.0.0.1:0", "-o", "json"}
	for _, user := range users {
		args = append(args, "--account", user+":pw-"+user)
	}
	double = start(t, nil, args...)
	address = double.await(`"address":"([^"]+)"`)[1]
	h = newHouse(t)
	h.rollcall("service", "set", "chat", "--kind", "sametime", "--address", address)
	h.open()
	identities = make(map[string]string)
	for _, user := range users {
		identities[user] = h.join(user, "chat:"+user)
	}
	return h, double, address, identities
}

// TestSametimeThroughTheBroker lets a device and a real client meet on the double.
func TestSametimeThroughTheBroker(t *testing.T) {
	h, double, address, identities := sametimeHouse(t, "alice", "bob")
	alice := h.login(identities["alice"], "chat", "alice")
	session := alice.accepted()
	alice.await(`"event":"roster".*"address":"bob"`)

	bob := bitlbeetest.Start(t)
	host, port, _ := net.SplitHostPort(address)
	account := bob.AddAccount("meanwhile", "bob:"+host, "pw-bob")
	account.Set("port", port)
	account.On()
	bob.Wait(`Logged in`)
	alice.await(`"event":"presence".*"contact":"bob","show":"available"`)
	bob.Wait(`:alice!\S+ JOIN`)
	alice.send("bob", "to the real client")
	bob.Wait(`^:alice!\S+ PRIVMSG .*:to the real client$`)
	bob.Send("alice", "to the device")
	alice.hears("bob", "to the device")

	// A device that dies comes back to everything, once, in order.
	alice.kill()
	h.state("alice", control.StateOutOfCoverage)
	bob.Send("alice", "first")
	bob.Send("alice", "second")
	again := clientProcess{start(t, h.env(), "client", "resume", "--identity", identities["alice"], "-o", "json", "--stay")}
	if got := again.accepted(); got != session {
		t.Errorf("session %s was resumed, want %s", got, session)
	}
	again.hears("bob", "second")
	if n := strings.Count(again.text(), `"body":"first"`); n != 1 || strings.Index(again.text(), "first") > strings.Index(again.text(), "second") {
		t.Errorf("the first message came %d times, or late:\n%s", n, again.text())
	}

	// The real client sees the device's presence, and both see the other go.
	again.say(`{"presence":{"show":"away","text":"at lunch"}}`)
	bob.Wait(`MODE &bitlbee -v alice`)
	account.Off()
	again.await(`"event":"presence".*"contact":"bob","show":"offline"`)

	// The server goes away: a typed ending, the device told.
	double.signal(syscall.SIGTERM)
	double.wantExit(exitOK)
	again.await(`"event":"ended".*"cause":"upstream-closed"`)
	again.wantExit(exitEnded)
}

func TestSametimeLimits(t *testing.T) {
	h, _, _, identities := sametimeHouse(t, "alice", "bob", "carol")
	h.rollcall("service", "set", "chat", "--max-sessions", "2", "--idle-timeout", "3s")
	alice, bob := h.login(identities["alice"], "chat", "alice"), h.login(identities["bob"], "chat", "bob")
	alice.accepted()
	bob.accepted()
	h.login(identities["carol"], "chat", "carol").wantExit(exitBusy)

	// One that is silent for the idle timeout makes room.
	bob.kill()
	h.state("bob", control.StateOutOfCoverage)
	check(t, eventually(t.Context(), func() error {
		carol := h.login(identities["carol"], "chat", "carol")
		if err := carol.isAccepted(); err != nil {
			return err
		}
		t.Cleanup(carol.kill)
		return nil
	}))

	// Without a maximum, the total is what limits.
	h.rollcall("service", "unset", "chat", "max-sessions")
	h.rollcall("service", "set", "chat", "--protocol-total", "2")
	h.login(identities["bob"], "chat", "bob").wantExit(exitFailed300)
	alice.say(`{"logout":{}}`)
	alice.wantExit(exitOK)
}

func TestSametimeRefusals(t *testing.T) {
	h, double, _, identities := sametimeHouse(t, "alice", "bob")
	wrong := start(t, h.env(), "client", "login", "--identity", identities["alice"], "--service", "chat", "--account", "alice", "-o", "json")
	wrong.say("not-the-password")
	wrong.await(`"event":"rejected".*"code":"bad-credentials".*wrong name or password`)
	wrong.wantExit(exitRefused)
	double.signal(syscall.SIGTERM)
	double.wantExit(exitOK)
	dead := h.login(identities["bob"], "chat", "bob") // alice is backed off
	dead.await(`"event":"rejected".*"code":"upstream-unreachable"`)
	dead.wantExit(exitRefused)
	for _, text := range []string{wrong.text(), h.serve.text(), h.rollcall("audit", "log", "-o", "json")} {
		if strings.Contains(text, "not-the-password") {
			t.Errorf("the password is printed in\n%s", text)
		}
	}
}
