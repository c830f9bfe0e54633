package groupwise_test

import (
	"bytes"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/adapters/bitlbeetest"
	"rollcall/adapters/groupwise/gwserver"
	"rollcall/adapters/groupwise/wire"
	"rollcall/domain/broker"
)

// taps keeps what each client sends.
type taps struct {
	mu sync.Mutex
	by map[int]*bytes.Buffer
}

func (t *taps) tap(session int, b []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.by[session] == nil {
		t.by[session] = new(bytes.Buffer)
	}
	t.by[session].Write(b)
}

// first gives the first request of a session, one part on each line.
func (t *taps) first(session int) []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	text := t.by[session].String()
	head, body, _ := strings.Cut(text, "\r\n\r\n")
	body, _, _ = strings.Cut(body, "\r\n")
	return append(strings.Split(head, "\r\n"), strings.Split(strings.ReplaceAll(body, "&tag=", "\n&tag="), "\n")[1:]...)
}

// purple gives the real client with an account on the double.
func (d *double) purple(t *testing.T, name string) *bitlbeetest.Bitlbee {
	t.Helper()
	host, port, err := net.SplitHostPort(d.address)
	if err != nil {
		t.Fatal(err)
	}
	b := bitlbeetest.Start(t)
	b.Trust(host, d.config.Certificate.Certificate[0])
	b.Command("set typing_notice true")
	a := b.AddAccount("novell", name, `"`+password(name)+`"`)
	a.Set("server", host)
	a.Set("port", port)
	a.On()
	b.Wait(`Logging in: Logged in`)
	return b
}

// TestLoginBesideTheRealClient logs in the same person with both, and compares
// every byte of the login; docs/protocols/groupwise.md lists and explains what
// differs.
func TestLoginBesideTheRealClient(t *testing.T) {
	sent := &taps{by: make(map[int]*bytes.Buffer)}
	d := newDouble(t, func(c *gwserver.Config) { c.Tap = sent.tap })
	d.purple(t, "alice")
	d.login(t, "alice")
	real, ours := sent.first(1), sent.first(2)
	differ := make(map[string]bool)
	if len(real) != len(ours) {
		t.Fatalf("libpurple sends\n%s\nand we send\n%s", strings.Join(real, "\n"), strings.Join(ours, "\n"))
	}
	for i := range real {
		if real[i] != ours[i] {
			tag, _, _ := strings.Cut(strings.TrimPrefix(real[i], "&tag="), "&")
			differ[tag] = true
		}
	}
	want := map[string]bool{wire.TagUserAgent: true, wire.TagAddress: true}
	if diff := cmp.Diff(want, differ); diff != "" {
		t.Errorf("what differs (-want +got):\n%s\nlibpurple sends\n%s\nand we send\n%s", diff, strings.Join(real, "\n"), strings.Join(ours, "\n"))
	}
}

// TestTalkWithTheRealClient has the connector and libpurple on the same server.
func TestTalkWithTheRealClient(t *testing.T) {
	d := newDouble(t, nil)
	bob := d.purple(t, "bob")
	alice, hears := d.login(t, "alice")
	awaitShow(t, hears, "bob", broker.ShowAvailable)
	bob.Wait(`:alice!\S+ JOIN`)

	send(t, alice, "bob", "żółw \U0001F422 {x} \\ y")
	bob.Wait(`:alice!\S+ PRIVMSG tester :żółw \x{1F422} {x} \\ y$`)
	send(t, alice, "bob", "two\nlines")
	bob.Wait(`:alice!\S+ PRIVMSG tester :two$`)
	bob.Wait(`:alice!\S+ PRIVMSG tester :lines$`)
	bob.Send("alice", "and back: жук 日本 \U0001F600")
	awaitMessage(t, hears, "bob", "and back: жук 日本 \U0001F600")

	bob.Typing("alice", true)
	await(t, hears, func(e broker.TypingChanged) bool { return e.Contact == "bob" && e.Typing })
	bob.Command(`account novell set away "in a meeting"`)
	if p := awaitShow(t, hears, "bob", broker.ShowAway); p.Text != "in a meeting" {
		t.Errorf("bob is away with %q, want the text he gave", p.Text)
	}
	if err := alice.SetPresence(t.Context(), broker.OwnPresence{Show: broker.ShowBusy, Text: "working"}); err != nil {
		t.Fatal(err)
	}
	bob.Wait(`MODE &bitlbee -v alice`)

	// A long text: libpurple cuts what it sends, and reads what we send in parts.
	bob.Send("alice", strings.Repeat("ы", 300))
	await(t, hears, func(m broker.MessageReceived) bool { return strings.HasPrefix(m.Body, strings.Repeat("ы", 200)) })
	if err := alice.Logout(t.Context()); err != nil {
		t.Fatal(err)
	}
	bob.Wait(`:alice!\S+ QUIT`)
}
