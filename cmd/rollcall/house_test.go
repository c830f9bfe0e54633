package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"rollcall/adapters/control"
	"rollcall/adapters/local"
)

// house is a data folder, and the appliance on it, a process of its own.
type house struct {
	t       *testing.T
	data    string
	address string   // where devices connect
	more    []string // of the environment
	serve   *process
}

func newHouse(t *testing.T) *house {
	return &house{t: t, data: filepath.Join(t.TempDir(), "data"), address: "127.0.0.1:0"}
}

func (h *house) env() []string {
	return append([]string{"ROLLCALL_DATA=" + h.data, "ROLLCALL_TIMING_COVERAGE_GRACE=200ms"}, h.more...)
}

// open starts the appliance, where it listened before if it has.
func (h *house) open(args ...string) {
	h.t.Helper()
	h.serve = start(h.t, h.env(), append([]string{"serve", "--listen", h.address}, args...)...)
	h.address = h.serve.await(`rollcall is ready.* listen=(\S+)`)[1]
}

// shut stops the appliance as an administrator does.
func (h *house) shut() {
	h.t.Helper()
	h.serve.signal(syscall.SIGTERM)
	h.serve.wantExit(exitOK)
}

// rollcall runs an operator command and gives what it printed.
func (h *house) rollcall(args ...string) string {
	h.t.Helper()
	p := start(h.t, h.env(), args...)
	p.wantExit(exitOK)
	return p.text()
}

// fails runs an operator command that exits with a code and says why.
func (h *house) fails(code int, why string, args ...string) {
	h.t.Helper()
	p := start(h.t, h.env(), args...)
	p.wantExit(code)
	p.await(why)
}

// operator talks to the running appliance.
func (h *house) operator() *control.Client {
	h.t.Helper()
	op, err := control.Dial(h.t.Context(), h.data, errorKinds...)
	check(h.t, err)
	return op
}

// addUsers adds accounts of the built-in service, with passwords that cost
// little to check.
func (h *house) addUsers(names ...string) {
	h.t.Helper()
	check(h.t, makeFolder(h.data))
	store, err := local.OpenStore(filepath.Join(h.data, accountsFile), local.CheapCost)
	check(h.t, err)
	for _, name := range names {
		check(h.t, store.Add(local.NewAccount{Name: name, Password: "pw-" + name}))
	}
}

// join makes a device of a person, who has an account on a service, and gives
// its identity file.
func (h *house) join(person, account string, args ...string) string {
	h.t.Helper()
	identity := filepath.Join(h.t.TempDir(), person+".identity")
	enrol := append([]string{"device", "enrol", "--person", person, "--account", account}, args...)
	text := h.rollcall(enrol...)
	line, _, _ := strings.Cut(text, "\n")
	h.rollcall("client", "join", line, "--identity", identity, "--label", person+"'s phone")
	return identity
}

// device is a client process that is logged in.
type clientProcess struct{ *process }

// login starts a client; the password is its first line of input.
func (h *house) login(identity, service, account string) clientProcess {
	h.t.Helper()
	p := start(h.t, h.env(), "client", "login", "--identity", identity, "--service", service, "--account", account, "-o", "json", "--stay")
	p.say("pw-" + strings.SplitN(account, "@", 2)[0])
	return clientProcess{p}
}

// accepted waits until the client is logged in, and gives the session.
func (c clientProcess) accepted() string {
	c.t.Helper()
	return c.await(`"event":"(?:accepted|resumed)","session":([0-9]+)`)[1]
}

func (c clientProcess) send(to, body string) {
	c.t.Helper()
	c.say(fmt.Sprintf(`{"send":{"to":%q,"body":%q}}`, to, body))
}

// hears waits for a message.
func (c clientProcess) hears(from, body string) {
	c.t.Helper()
	c.await(fmt.Sprintf(`"event":"message".*"from":"%s","body":"%s"`, from, body))
}

// state waits until an account's session is in a state.
func (h *house) state(account string, want control.State) {
	h.t.Helper()
	op := h.operator()
	check(h.t, eventually(h.t.Context(), func() error {
		sessions, err := op.Sessions(context.Background())
		for _, s := range sessions {
			if s.Account == account && s.State == want {
				return nil
			}
		}
		return fmt.Errorf("no session of %s is %s: %+v, %v", account, want, sessions, err)
	}))
}
