package xmpptest

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"rollcall/domain"
)

// Domain is the domain that the server serves.
const Domain = "xmpp.test"

// User is an account on the server.
type User struct{ Name, Password string }

// Address is the user's address.
func (u User) Address() string { return u.Name + "@" + Domain }

// Users makes users of names, each with the password "pw-" and the name.
func Users(names ...string) []User {
	var users []User
	for _, name := range names {
		users = append(users, User{name, "pw-" + name})
	}
	return users
}

// Prosody is a server that runs.
type Prosody struct {
	Certificate
	Addr      string // host:port for STARTTLS
	DirectTLS string // host:port for TLS from the start

	dir     string
	process *exec.Cmd
}

// Option changes the server's configuration.
type Option struct{ config string }

// With adds lines to the server's configuration, in Prosody's own language.
func With(lines string) Option { return Option{lines + "\n"} }

const config = `
run_as_root = true
pidfile = "%[1]s/prosody.pid"
data_path = "%[1]s/data"
log = { debug = "%[1]s/prosody.log" }
interfaces = { "127.0.0.1" }
c2s_ports = { %[2]s }
c2s_direct_tls_ports = { %[3]s }
modules_enabled = { "roster", "saslauth", "tls", "disco", "ping", "smacks", "posix", "offline", "presence", "message", "iq", "c2s" }
modules_disabled = { "s2s" }
c2s_require_encryption = %[8]t
authentication = "internal_plain"
ssl = { certificate = "%[4]s"; key = "%[5]s"; %[6]s }
%[7]s
VirtualHost "xmpp.test"
`

// TLS12 keeps the server from TLS 1.3; its channel binding is tls-unique then.
var TLS12 = Option{config: tls12}

const tls12 = "-- TLS 1.2 only\n"

// InTheClear lets clients in without TLS, so that a test can see what is said.
var InTheClear = Option{config: inTheClear}

const inTheClear = "-- TLS is not required\n"

// StartProsody starts a server with the given users and waits until it answers.
func StartProsody(t testing.TB, users []User, options ...Option) *Prosody {
	t.Helper()
	if _, err := exec.LookPath("prosody"); err != nil {
		if os.Getenv("ROLLCALL_REQUIRE_PEERS") == "1" {
			t.Fatal("prosody is not installed, and ROLLCALL_REQUIRE_PEERS=1 asks for it")
		}
		t.Skip("prosody is not installed")
	}
	p := &Prosody{Certificate: NewCertificate(t, Domain), Addr: freeAddr(t), DirectTLS: freeAddr(t), dir: t.TempDir()}
	var protocol, more string
	encrypted := true
	for _, o := range options {
		switch o.config {
		case tls12:
			protocol = `protocol = "tlsv1_2"`
		case inTheClear:
			encrypted = false
		}
		more += o.config
	}
	_, port, _ := net.SplitHostPort(p.Addr)
	_, direct, _ := net.SplitHostPort(p.DirectTLS)
	text := fmt.Sprintf(config, p.dir, port, direct, p.File, p.KeyFile, protocol, more, encrypted)
	must(t, os.WriteFile(p.dir+"/prosody.cfg.lua", []byte(text), 0o600))
	for _, u := range users {
		p.addUser(t, u, users)
	}
	t.Cleanup(func() { p.Stop(t) })
	p.Start(t)
	return p
}

// addUser writes a user's account and roster where the server keeps them.
func (p *Prosody) addUser(t testing.TB, u User, all []User) {
	t.Helper()
	var items strings.Builder
	for _, other := range all {
		if other != u {
			fmt.Fprintf(&items, "[%q] = { subscription = %q, name = %q, groups = { Friends = true } };\n", other.Address(), "both", other.Name)
		}
	}
	host := p.dir + "/data/" + strings.ReplaceAll(Domain, ".", "%2e")
	writeData(t, host+"/accounts/"+u.Name+".dat", fmt.Sprintf("return { password = %q };\n", u.Password))
	writeData(t, host+"/roster/"+u.Name+".dat", "return { [false] = { version = 1 };\n"+items.String()+"};\n")
}

// AddUser adds a user with an empty roster, also while the server runs.
func (p *Prosody) AddUser(t testing.TB, u User) {
	t.Helper()
	p.addUser(t, u, nil)
}

func writeData(t testing.TB, file, text string) {
	t.Helper()
	must(t, os.MkdirAll(filepath.Dir(file), 0o700))
	must(t, os.WriteFile(file, []byte(text), 0o600))
}

// Settings are those of a service that leads to the server over STARTTLS.
func (p *Prosody) Settings() domain.Settings {
	return domain.Settings{Kind: domain.KindXMPP, Address: p.Addr, Options: map[string]string{"ca-file": p.CAFile}}
}

// patience bounds each wait for the server to start and to stop.
const patience = 15 * time.Second

// Start starts the server again after Stop, at the same address and with the
// same users, and waits until it answers.
func (p *Prosody) Start(t testing.TB) {
	t.Helper()
	output, err := os.OpenFile(p.dir+"/output.log", os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	must(t, err)
	defer output.Close()
	p.process = exec.Command("prosody", "-F", "--config", p.dir+"/prosody.cfg.lua")
	p.process.Stdout, p.process.Stderr = output, output
	must(t, p.process.Start())
	for late := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		conn, err := net.Dial("tcp", p.DirectTLS)
		if err == nil {
			conn.Close()
			return
		}
		if time.Now().After(late) {
			t.Fatalf("prosody does not answer after %v:\n%s", patience, p.Log())
		}
	}
}

// Settle waits until the server has had nothing to do for a while: one that is
// stopped while it still writes an answer loses its goodbye behind it.
func (p *Prosody) Settle(t testing.TB) {
	t.Helper()
	last, changed := p.Log(), time.Now()
	for late := changed.Add(patience); time.Since(changed) < quiet; time.Sleep(20 * time.Millisecond) {
		if log := p.Log(); log != last {
			last, changed = log, time.Now()
		}
		if time.Now().After(late) {
			t.Fatalf("prosody is still busy after %v:\n%s", patience, last)
		}
	}
}

// quiet is how long the log of a server that is done stays as it is.
const quiet = 300 * time.Millisecond

// Stop ends the server; it says goodbye to whoever is connected.
func (p *Prosody) Stop(t testing.TB) {
	t.Helper()
	if p.process == nil {
		return
	}
	process := p.process
	p.process = nil
	_ = process.Process.Signal(syscall.SIGTERM) // it may be gone already
	kill := time.AfterFunc(patience, func() { _ = process.Process.Kill() })
	defer kill.Stop()
	_ = process.Wait() // that it ended is all that matters
}

// Kill ends the server as a power cut would, and waits until it is gone.
func (p *Prosody) Kill(t testing.TB) {
	t.Helper()
	must(t, p.process.Process.Kill())
	_ = p.process.Wait() // that it ended is all that matters
	p.process = nil
}

// Restart stops and starts the server.
func (p *Prosody) Restart(t testing.TB) {
	t.Helper()
	p.Stop(t)
	p.Start(t)
}

// Log gives what the server wrote to its logs.
func (p *Prosody) Log() string {
	output, _ := os.ReadFile(p.dir + "/output.log") // what there is of them
	log, _ := os.ReadFile(p.dir + "/prosody.log")
	return string(output) + string(log)
}

func freeAddr(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer l.Close()
	return l.Addr().String()
}
