package main

import (
	"encoding/pem"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"rollcall/adapters/bitlbeetest"
	"rollcall/adapters/control"
)

// groupWiseHouse is an appliance in front of a GroupWise Messenger double, with a
// device for each of alice, bob and carol, by name. Dave has no device.
type groupWiseHouse struct {
	*house
	double      *process
	address     string
	certificate []byte
	identities  map[string]string
}

func newGroupWiseHouse(t *testing.T) *groupWiseHouse {
	t.Helper()
	h := &groupWiseHouse{house: newHouse(t), identities: make(map[string]string)}
	file := filepath.Join(t.TempDir(), "double.pem")
	args := []string{"double", "groupwise", "--listen", "127.0.0.1:0", "--save-certificate", file}
	for _, name := range []string{"alice", "bob", "carol", "dave"} {
		args = append(args, "--account", name+":pw-"+name)
	}
	h.double = start(t, nil, args...)
	h.address = h.double.await(`listens on (\S+);`)[1]
	text, err := os.ReadFile(file)
	check(t, err)
	block, _ := pem.Decode(text)
	h.certificate = block.Bytes
	h.rollcall("service", "set", "im", "--kind", "groupwise", "--address", h.address, "--option", "ca-file="+file)
	h.open()
	for _, name := range []string{"alice", "bob", "carol"} {
		h.identities[name] = h.join(name, "im:"+name)
	}
	return h
}

func (h *groupWiseHouse) device(name string) clientProcess {
	h.t.Helper()
	return h.login(h.identities[name], "im", name)
}

// purple is the real client with an account on the double.
func (h *groupWiseHouse) purple(name, password string) (*bitlbeetest.Bitlbee, *bitlbeetest.Account) {
	h.t.Helper()
	host, port, err := net.SplitHostPort(h.address)
	check(h.t, err)
	b := bitlbeetest.Start(h.t)
	b.Trust(host, h.certificate)
	a := b.AddAccount("novell", name, password)
	a.Set("server", host)
	a.Set("port", port)
	return b, a
}

// TestGroupWiseThroughTheBroker has the real client and a device talk to each
// other, each as a client of the same server.
func TestGroupWiseThroughTheBroker(t *testing.T) {
	h := newGroupWiseHouse(t)
	dave, account := h.purple("dave", "pw-dave")
	account.On()
	dave.Wait(`Logging in: Logged in`)

	alice := h.device("alice")
	session := alice.accepted()
	alice.await(`"event":"roster".*"address":"dave"`)
	alice.await(`"event":"presence".*"contact":"dave","show":"available"`)
	dave.Wait(`:alice!\S+ JOIN`)
	dave.Send("alice", "grüß dich \U0001F600")
	alice.hears("dave", "grüß dich \U0001F600")
	alice.send("dave", "und dich {auch} \\ \U0001F600")
	dave.Wait(`:alice!\S+ PRIVMSG tester :und dich {auch} \\ \x{1F600}$`)

	// A device that dies comes back to everything, once, in order.
	alice.kill()
	h.state("alice", control.StateOutOfCoverage)
	dave.Send("alice", "first")
	dave.Send("alice", "second")
	again := clientProcess{start(t, h.env(), "client", "resume", "--identity", h.identities["alice"], "-o", "json", "--stay")}
	if got := again.accepted(); got != session {
		t.Errorf("session %s was resumed, want %s", got, session)
	}
	again.hears("dave", "second")
	again.send("dave", "I am back")
	dave.Wait(`:alice!\S+ PRIVMSG tester :I am back$`)
	text := again.text()
	if n := strings.Count(text, `"body":"first"`); n != 1 || strings.Index(text, "first") > strings.Index(text, "second") {
		t.Errorf("after the resume came %d times first, want it once and before second:\n%s", n, text)
	}

	// The server goes away: a typed ending, and both clients know.
	h.double.signal(syscall.SIGTERM)
	h.double.wantExit(exitOK)
	again.await(`"event":"ended".*"cause":"upstream-closed"`)
	again.wantExit(exitEnded)
	if rows := h.rollcall("audit", "log", "--type", "session-ended"); strings.Count(rows, "cause=upstream-closed") != 1 {
		t.Errorf("the log has the endings as\n%s", rows)
	}
}

// TestGroupWiseRefusals has both clients tell a wrong password from a dead
// server.
func TestGroupWiseRefusals(t *testing.T) {
	h := newGroupWiseHouse(t)
	dave, account := h.purple("dave", "wrong")
	account.On()
	dave.Wait(`Login error: (?i:invalid|incorrect|.*password)`)
	p := start(t, h.env(), "client", "login", "--identity", h.identities["alice"], "--service", "im", "--account", "alice", "-o", "json")
	p.say("wrong-5Zt8")
	p.await(`"event":"rejected".*"code":"bad-credentials"`)
	p.wantExit(exitRefused)

	h.double.signal(syscall.SIGTERM)
	h.double.wantExit(exitOK)
	dave, account = h.purple("dave", "pw-dave")
	account.On()
	dave.Wait(`Login error: (?i:SSL Connection Failed|.*unable to connect)`)
	bob := h.device("bob")
	bob.await(`"event":"rejected".*"code":"upstream-unreachable"`)
	bob.wantExit(exitRefused)
	for _, text := range []string{p.text(), h.serve.text(), h.rollcall("audit", "log", "-o", "json")} {
		if strings.Contains(text, "wrong-5Zt8") {
			t.Errorf("the password is printed in\n%s", text)
		}
	}
}

func TestGroupWiseLimits(t *testing.T) {
	h := newGroupWiseHouse(t)
	h.rollcall("service", "set", "im", "--max-sessions", "2", "--idle-timeout", "3s")
	alice, bob := h.device("alice"), h.device("bob")
	alice.accepted()
	bob.accepted()
	h.device("carol").wantExit(exitBusy)

	// One that is silent for the idle timeout makes room.
	bob.kill()
	h.state("bob", control.StateOutOfCoverage)
	check(t, eventually(t.Context(), func() error {
		carol := h.device("carol")
		if err := carol.isAccepted(); err != nil {
			return err
		}
		t.Cleanup(carol.kill)
		return nil
	}))
	back := start(t, h.env(), "client", "resume", "--identity", h.identities["bob"], "-o", "json", "--stay")
	back.await(`"event":"ended".*"cause":"idled-out"`)
	back.wantExit(exitEnded)

	// Without a maximum, the total is what limits.
	h.rollcall("service", "unset", "im", "max-sessions")
	h.rollcall("service", "set", "im", "--protocol-total", "2")
	h.device("bob").wantExit(exitFailed300)
	alice.say(`{"logout":{}}`)
	alice.wantExit(exitOK)
}
