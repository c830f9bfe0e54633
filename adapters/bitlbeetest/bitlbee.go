package bitlbeetest

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Nick is what the test is called on IRC.
const Nick = "tester"

// patience bounds each wait; a real client takes its time over some things.
const patience = 20 * time.Second

// Bitlbee is a running client. Its methods end the test where something fails,
// and are for the test's goroutine only.
type Bitlbee struct {
	t      testing.TB
	folder string
	conn   net.Conn
	lines  *lines
	stderr bytes.Buffer // to be read once gone is closed
	gone   chan struct{}
}

// Start starts a client that is stopped when the test ends.
func Start(t testing.TB) *Bitlbee {
	t.Helper()
	program := find(t)
	b := &Bitlbee{t: t, folder: t.TempDir(), lines: newLines(), gone: make(chan struct{})}
	near, far := pair(t)
	b.conn = near
	command := exec.Command(program, "-I", "-c", b.configuration(), "-d", b.folder)
	command.Env = append(os.Environ(), "HOME="+b.folder)
	command.Stdin, command.Stdout, command.Stderr = far, far, &b.stderr
	err := command.Start()
	far.Close()
	if err != nil {
		t.Fatal(err)
	}
	go b.lines.read(near)
	go func() {
		defer close(b.gone)
		_ = command.Wait() // how it ended does not matter, that it did is seen by the reader
	}()
	t.Cleanup(func() { b.stop(command.Process) })
	b.irc("NICK %s", Nick)
	b.irc("USER %s 0 * :a test", Nick)
	b.Wait(`JOIN :&bitlbee`)
	b.Command("register for-this-test-only")
	b.Wait(`Account successfully created`)
	return b
}

// find gives the path of the program.
func find(t testing.TB) string {
	t.Helper()
	for _, path := range []string{"/usr/sbin/bitlbee", "bitlbee"} {
		if found, err := exec.LookPath(path); err == nil {
			return found
		}
	}
	const missing = "bitlbee-libpurple is not installed"
	if os.Getenv("ROLLCALL_REQUIRE_PEERS") == "1" {
		t.Fatal(missing + ", and ROLLCALL_REQUIRE_PEERS=1 asks for it")
	}
	t.Skip(missing)
	return ""
}

// pair gives both ends of a connection; BitlBee takes the second as a client of
// its own.
func pair(t testing.TB) (net.Conn, *os.File) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	near, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	far, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer far.Close()
	file, err := far.(*net.TCPConn).File()
	if err != nil {
		t.Fatal(err)
	}
	return near, file
}

func (b *Bitlbee) configuration() string {
	path := filepath.Join(b.folder, "bitlbee.conf")
	text := "[settings]\nRunMode = Inetd\nAuthMode = Open\nConfigDir = " + b.folder + "\nMotdFile = /dev/null\n"
	b.write(path, []byte(text))
	return path
}

func (b *Bitlbee) write(path string, content []byte) {
	b.t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(path, content, 0o600); err != nil {
		b.t.Fatal(err)
	}
}

// stop ends the client, by force if it does not end by itself.
func (b *Bitlbee) stop(process *os.Process) {
	_, _ = fmt.Fprintf(b.conn, "QUIT\r\n") // it may be gone
	b.conn.Close()
	select {
	case <-b.gone:
	case <-time.After(3 * time.Second):
		_ = process.Kill() // it may have ended just now
		<-b.gone
	}
	<-b.lines.ended
	if b.t.Failed() && b.stderr.Len() > 0 {
		b.t.Logf("bitlbee's errors:\n%s", b.stderr.String())
	}
}

func (b *Bitlbee) irc(format string, args ...any) {
	b.t.Helper()
	if _, err := fmt.Fprintf(b.conn, format+"\r\n", args...); err != nil {
		b.t.Fatalf("write to bitlbee: %v", err)
	}
}

// Command gives BitlBee a command, such as "blist all". The answer comes as
// lines.
func (b *Bitlbee) Command(text string) {
	b.t.Helper()
	b.irc("PRIVMSG &bitlbee :%s", text)
}

// Send sends a message to a contact; each line of text is a message of its own.
func (b *Bitlbee) Send(nick, text string) {
	b.t.Helper()
	for line := range strings.SplitSeq(text, "\n") {
		b.irc("PRIVMSG %s :%s", nick, line)
	}
}

// Typing tells a contact that the test begins or stops to type.
func (b *Bitlbee) Typing(nick string, typing bool) {
	b.t.Helper()
	state := 0
	if typing {
		state = 1
	}
	b.irc("PRIVMSG %s :\x01TYPING %d\x01", nick, state)
}
