package main

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"rollcall/adapters/local"
	"rollcall/adapters/xmpp/xmpptest"
	"rollcall/domain"
)

// aviary is a house full of canaries: what its devices are told, what its
// processes print, and what goes over its wires, is all kept.
type aviary struct {
	*house
	door       *recorder // between devices and the router
	wires      map[string]*recorder
	processes  []*process
	identities []string
	canaries   map[string]canary // by the point at which each is let out
	resume     map[string]canary // resume secrets, by the device
}

func newAviary(t *testing.T) *aviary {
	t.Helper()
	a := &aviary{house: newHouse(t), wires: make(map[string]*recorder), canaries: make(map[string]canary), resume: make(map[string]canary)}
	a.more = []string{"ROLLCALL_TIMING_UPSTREAM_TIMEOUT=500ms", "ROLLCALL_LOG_LEVEL=debug"}
	a.reopen()
	a.door = record(t, a.address)
	a.wires["devices"] = a.door
	return a
}

// reopen starts the appliance, with a log of everything.
func (a *aviary) reopen() {
	a.t.Helper()
	a.open()
	a.processes = append(a.processes, a.serve)
}

// wire puts a recorder in front of an upstream server.
func (a *aviary) wire(name, address string) string {
	a.wires[name] = record(a.t, address)
	return a.wires[name].addr()
}

// user makes an account of the built-in service with a password.
func (a *aviary) user(name, password string) {
	a.t.Helper()
	store, err := local.OpenStore(filepath.Join(a.data, accountsFile), local.CheapCost)
	check(a.t, err)
	check(a.t, store.Add(local.NewAccount{Name: name, Password: password}))
}

// canary gives the one that is let out at a point.
func (a *aviary) canary(point string) canary {
	if _, known := a.canaries[point]; !known {
		a.canaries[point] = newCanary()
	}
	return a.canaries[point]
}

// device joins a new device that may use accounts, given as service:account.
func (a *aviary) device(person, account string) string {
	a.t.Helper()
	return a.deviceOf(person, account, a.door.addr())
}

// deviceOf is [aviary.device] with where the device connects.
func (a *aviary) deviceOf(person, account, address string) string {
	a.t.Helper()
	identity := a.join(person, account, "--address", address)
	a.identities = append(a.identities, identity)
	return identity
}

// client starts a client command, whose output is kept.
func (a *aviary) client(args ...string) clientProcess {
	a.t.Helper()
	p := start(a.t, a.env(), append([]string{"client"}, args...)...)
	a.processes = append(a.processes, p)
	return clientProcess{p}
}

// letOut logs in with the canary of a point as the password.
func (a *aviary) letOut(point, identity, service, account string) clientProcess {
	a.t.Helper()
	c := a.client("login", "--identity", identity, "--service", service, "--account", account, "-o", "json", "--stay")
	c.say(a.canary(point).password())
	return c
}

// deaf gives the address of a server that takes connections and never answers.
func deaf(t *testing.T) string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { conn.Close() })
		}
	}()
	return ln.Addr().String()
}

// TestPasswordsGoNowhere logs in with passwords of its own at every place where a
// login, a resume or a process can fail, and then searches every file, every line
// that was printed and every byte on the wires for them.
func TestPasswordsGoNowhere(t *testing.T) {
	a := newAviary(t)
	a.refusals()
	a.upstreams()
	a.cutLinks()
	a.crashes()
	a.endings()
	a.lostSecrets()
	a.split()
	if len(a.resume) == 0 {
		t.Error("no resume secret was seen")
	}
	a.search()
}

// search ends the appliance and looks for everything that was let out.
func (a *aviary) search() {
	a.t.Helper()
	audit := a.rollcall("audit", "log", "-o", "json")
	a.shut()
	hay := haystack{"the audit log": []byte(audit)}
	hay.addFolder(a.t, filepath.Dir(a.data))
	for i, p := range a.processes {
		hay[fmt.Sprintf("the output of process %d (%s)", i, strings.Join(p.cmd.Args[1:], " "))] = []byte(p.text())
	}
	for name, wire := range a.wires {
		hay["what "+name+" heard and said"] = wire.recorded()
		if len(wire.recorded()) < 200 {
			a.t.Errorf("only %d bytes of what %s said were recorded", len(wire.recorded()), name)
		}
	}
	for _, identity := range a.identities { // with the journal and the lock beside it
		hay.addFolder(a.t, filepath.Dir(identity))
	}
	hay.search(a.t, a.canaries)
	for _, identity := range a.identities { // which alone may keep resume secrets
		delete(hay, "file "+identity)
	}
	hay.search(a.t, a.resume)
	if n := strings.Count(audit, `"login-requested"`); n < len(a.canaries) {
		a.t.Errorf("the log has %d logins, for %d passwords", n, len(a.canaries))
	}
}

// refusals has every kind of refusal happen that the broker decides by itself.
func (a *aviary) refusals() {
	a.t.Helper()
	a.rollcall("service", "set", "office", "--kind", "local", "--max-sessions", "1")
	a.rollcall("service", "set", "tiny", "--kind", "local", "--protocol-total", "1")
	for _, name := range []string{"busy", "wrong", "ada"} {
		a.user(name, a.canary("the password of "+name).password())
	}
	ada := a.device("Ada", "office:ada")
	inside := a.letOut("the password of ada", ada, "office", "ada")
	inside.accepted()

	busy := a.device("Busy", "office:busy")
	a.letOut("the password of busy", busy, "office", "busy").wantExit(exitBusy)
	a.letOut("an account that is not permitted", busy, "office", "ada").wantExit(exitNotPermitted)
	a.letOut("a service that is not there", busy, "nowhere", "busy").wantExit(exitNotPermitted)

	first := a.device("First", "tiny:ada")
	staying := a.letOut("the password of ada", first, "tiny", "ada")
	staying.accepted()
	a.letOut("the protocol's total", a.device("Second", "tiny:wrong"), "tiny", "wrong").wantExit(exitFailed300)
	staying.signal(syscall.SIGINT) // logs out
	staying.wantExit(exitOK)

	wrong := a.device("Wrong", "tiny:wrong")
	for range 4 { // the later ones are backed off
		a.letOut("a wrong password", wrong, "tiny", "wrong").wantExit(exitRefused)
	}
	inside.kill()
	a.rollcall("sessions", "end", inside.accepted())
}

// upstreams has logins fail in every way that an upstream server has, and go
// through with each kind of server.
func (a *aviary) upstreams() {
	a.t.Helper()
	a.rollcall("service", "set", "closed", "--kind", "xmpp", "--address", "127.0.0.1:1")
	a.rollcall("service", "set", "deaf", "--kind", "xmpp", "--address", deaf(a.t))
	for _, service := range []string{"closed", "deaf"} {
		identity := a.device("Device of "+service, service+":ada@"+xmpptest.Domain)
		a.letOut("a server that is "+service, identity, service, "ada@"+xmpptest.Domain).wantExit(exitRefused)
	}
	a.rollcall("service", "set", "bare", "--kind", "xmpp", "--address", a.wire("a server without STARTTLS", bare(a.t)))
	identity := a.device("Device of bare", "bare:ada@"+xmpptest.Domain)
	a.letOut("a server without STARTTLS", identity, "bare", "ada@"+xmpptest.Domain).wantExit(exitRefused)
	a.prosody()
	a.double("groupwise")
	a.double("sametime")
}

// prosody logs in at a real XMPP server, over TLS, with the right password and
// with a wrong one, and where its certificate is not trusted.
func (a *aviary) prosody() {
	a.t.Helper()
	const name, account = "ursula", "ursula@" + xmpptest.Domain
	right := a.canary("the password of an XMPP account")
	server := xmpptest.StartProsody(a.t, []xmpptest.User{{Name: name, Password: right.password()}})
	a.rollcall("service", "set", "xmpp", "--kind", "xmpp", "--address", a.wire("xmpp", server.Addr), "--option", "ca-file="+server.CAFile)
	a.talk("xmpp", account, "the password of an XMPP account")
	a.untrusted("xmpp", server.Addr, account)
}

// double logs in at a double of a server.
func (a *aviary) double(kind string) {
	a.t.Helper()
	point := "the password of a " + kind + " account"
	args := []string{"double", kind, "--listen", "127.0.0.1:0", "-o", "json", "--account", "ursula:" + a.canary(point).password()}
	set := []string{"service", "set", kind, "--kind", kind}
	if kind == "groupwise" {
		file := filepath.Join(a.t.TempDir(), "double.pem")
		args = append(args, "--save-certificate", file)
		set = append(set, "--option", "ca-file="+file)
	}
	server := start(a.t, nil, args...)
	address := server.await(`"address":"([^"]+)"`)[1]
	a.rollcall(append(set, "--address", a.wire(kind, address))...)
	a.talk(kind, "ursula", point)
	if kind == "groupwise" {
		a.untrusted(kind, address, "ursula")
	}
}

// untrusted logs in at a server whose certificate nothing vouches for.
func (a *aviary) untrusted(kind, address, account string) {
	a.t.Helper()
	service, point := "untrusted-"+kind, "a refused certificate of "+kind
	a.rollcall("service", "set", service, "--kind", kind, "--address", a.wire(point, address))
	a.letOut(point, a.device("Device of "+service, service+":"+account), service, account).wantExit(exitRefused)
}

// talk logs in with a wrong password and with the right one, is killed, and comes
// back to a restarted appliance, which logs in again with what it kept.
func (a *aviary) talk(service, account, point string) {
	a.t.Helper()
	stranger := a.device("Somebody of "+service, service+":"+account)
	a.letOut("a wrong password for "+service, stranger, service, account).wantExit(exitRefused)
	identity := a.device("Ursula of "+service, service+":"+account)
	inside := a.letOut(point, identity, service, account)
	session := inside.accepted()
	inside.send(account, "a message")
	a.noteResume(service, identity)
	inside.kill()
	a.serve.kill()
	a.reopen()
	again := a.client("resume", "--identity", identity, "-o", "json", "--stay")
	if got := again.accepted(); got != session {
		a.t.Errorf("%s: session %s was resumed, want %s", service, got, session)
	}
	again.signal(syscall.SIGTERM)
	<-again.over
}

// noteResume remembers the secret that the device keeps of its session, and gives
// it.
func (a *aviary) noteResume(service, identity string) (secret []byte) {
	a.t.Helper()
	text, err := os.ReadFile(identity)
	check(a.t, err)
	var kept struct {
		Sessions map[string]struct{ Secret []byte }
	}
	check(a.t, json.Unmarshal(text, &kept))
	if secret = kept.Sessions[service].Secret; len(secret) < 16 {
		a.t.Fatalf("the device keeps no secret of its session on %s", service)
	}
	a.resume["the resume secret of "+filepath.Base(identity)] = canary{string(secret)}
	return secret
}

// crashes kills a device and the appliance while a login is under way, and has
// sessions that cannot be resumed any more.
func (a *aviary) crashes() {
	a.t.Helper()
	account := "ada@" + xmpptest.Domain
	mute := a.device("Mute", "deaf:"+account)
	waiting := a.letOut("a device that dies while it logs in", mute, "deaf", account)
	a.pending(1)
	waiting.kill()
	a.pending(0)
	waiting = a.letOut("an appliance that dies during a login", mute, "deaf", account)
	a.pending(1)
	a.serve.kill()
	waiting.kill()
	a.reopen()

	a.user("moved", a.canary("a password that is changed later").password())
	identity := a.device("Moved", "tiny:moved")
	inside := a.letOut("a password that is changed later", identity, "tiny", "moved")
	inside.accepted()
	inside.kill()
	a.serve.kill()
	store, err := local.OpenStore(filepath.Join(a.data, accountsFile), local.CheapCost)
	check(a.t, err)
	check(a.t, store.SetPassword("moved", a.canary("the password after that").password()))
	a.reopen()
	a.client("resume", "--identity", identity).wantExit(exitEnded)
}

// pending waits until so many logins, one or none, wait for the deaf server, and
// gives their sessions.
func (a *aviary) pending(want int) (ids []domain.SessionID) {
	a.t.Helper()
	op := a.operator()
	check(a.t, eventually(a.t.Context(), func() error {
		sessions, err := op.Sessions(a.t.Context())
		ids = nil
		for _, s := range sessions {
			if s.Service == "deaf" {
				ids = append(ids, s.ID)
			}
		}
		if err != nil || len(ids) != want {
			return fmt.Errorf("%d logins are under way, want %d: %+v, %w", len(ids), want, sessions, err)
		}
		return nil
	}))
	return ids
}
