package device

import (
	"bytes"
	"fmt"
	"math/rand"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"rollcall/adapters/device/linkpb"
	"rollcall/domain"
	"rollcall/domain/broker"
)

func mustMarshal(t testing.TB, m proto.Message) []byte {
	t.Helper()
	b, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// loginBytes logs in with a password and gives what the wire carried.
func loginBytes(t testing.TB, password string) (out, in []byte) {
	b := newBench(t, Config{})
	b.devices.admit = true
	r := &recorder{Conn: b.connect()}
	ch, err := initiate(r, b.device.pair, b.key.Public(), Preamble{Version: Version}, openLogin("chat", "alice@example.org", password))
	if err != nil {
		t.Fatal(err)
	}
	if err := ch.receive(new(linkpb.ToDevice)); err != nil {
		t.Fatal(err)
	}
	r.Close()
	b.ended()
	return r.out.Bytes(), r.in.Bytes()
}

func TestLoginTellsNothingOfThePassword(t *testing.T) {
	alphabet := "abcdefghijklmnopqrstuvwxyz0123456789"
	secret := func(n int) string {
		b := make([]byte, n)
		for i := range b {
			b[i] = alphabet[rand.Intn(len(alphabet))]
		}
		return string(b)
	}
	for _, class := range []struct{ from, to, step int }{{0, shortPassword, 8}, {shortPassword + 1, MaxPassword, 179}} {
		sizes := map[int]bool{}
		for n := class.from; n <= class.to; n += class.step {
			for _, password := range []string{secret(n), strings.Repeat("a", n)} {
				out, in := loginBytes(t, password)
				sizes[len(out)] = true
				if n >= 8 && (bytes.Contains(out, []byte(password)) || bytes.Contains(in, []byte(password))) {
					t.Errorf("a password of %d bytes is on the wire in clear", n)
				}
				if bytes.Contains(out, []byte("alice")) {
					t.Error("the account is on the wire in clear")
				}
			}
		}
		if len(sizes) != 1 {
			t.Errorf("logins with passwords of %d to %d bytes have sizes %v, want one size", class.from, class.to, sizes)
		}
	}
}

// The size of an opening must be one of few, whatever the lengths of the names,
// and never depend on a password's.
func TestOpeningSizeDoesNotDependOnThePassword(t *testing.T) {
	for service := 1; service <= MaxService; service += 9 {
		for account := 1; account <= MaxAccount; account += 13 {
			size := map[bool]int{}
			for password := 0; password <= MaxPassword; password += 32 {
				m := openLogin(strings.Repeat("s", service), strings.Repeat("a", account), strings.Repeat("p", password))
				b, err := appendOpening(nil, m)
				if err != nil {
					t.Fatalf("appendOpening(%d, %d, %d) = %v", service, account, password, err)
				}
				long := password > shortPassword
				if was, ok := size[long]; ok && was != len(b) {
					t.Fatalf("opening of %d, %d, %d has %d bytes, another password's %d", service, account, password, len(b), was)
				}
				size[long] = len(b)
			}
		}
	}
}

func TestOpeningsOfEveryKindHaveOneSize(t *testing.T) {
	for name, m := range map[string]*linkpb.ToServer{
		"login":  openLogin("chat", "alice@example.org", "secret"),
		"resume": openResume(&linkpb.Resume{Session: 1 << 40, Secret: make([]byte, 32), Received: 1 << 30, Epoch: 1<<64 - 1, State: 1 << 40}),
		"enrol":  openEnrol(make([]byte, 32), "Alice's telephone"),
	} {
		if b, err := appendOpening(nil, m); err != nil || len(b) != openingSizes[0] {
			t.Errorf("%s has %d bytes (%v), want %d", name, len(b), err, openingSizes[0])
		}
	}
}

func TestAnswersHaveOneSize(t *testing.T) {
	for _, m := range []broker.ToDevice{
		broker.Accepted{Session: 1 << 40, Resume: make([]byte, 32), StatusInterval: 1 << 40, Fence: 1 << 30, Received: 1 << 40, Epoch: 1<<64 - 1},
		broker.Accepted{Session: 1},
		broker.Rejected{Session: 1, Code: domain.RejectServerBusy, Text: "Server Busy"},
		broker.Resumed{Session: 1 << 40, Fence: 9, Epoch: 1<<64 - 1},
		broker.ResumeRefused{Session: 1, Ended: true, Cause: domain.EndInactive},
	} {
		b, err := appendFrame(nil, mustMarshal(t, toDevice(m)), mannerOf(m).pad)
		if err != nil || len(b) != answerPad {
			t.Errorf("%T has %d bytes (%v), want %d", m, len(b), err, answerPad)
		}
	}
}

func TestLoginFitsIntoTheWireBudget(t *testing.T) {
	out, in := loginBytes(t, "correct horse battery staple")
	if sum := len(out) + len(in); sum > 700 {
		t.Errorf("a login takes %d bytes on the wire (%d out, %d in), want at most 700", sum, len(out), len(in))
	}
}

func TestMessagesShareNoCompressionState(t *testing.T) {
	m := mustMarshal(t, toServer(broker.Send{ID: "1", To: "bob", Body: "could you please send me the report about the project?"}))
	first, err := appendFrame(nil, m, 0)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		again, err := appendFrame(nil, m, 0)
		if err != nil || !bytes.Equal(first, again) {
			t.Errorf("time %d: the same message became %x (%v), first it was %x", i+2, again, err, first)
		}
	}
	if first[0]&flagZstd == 0 || len(first) >= len(m) {
		t.Errorf("%d bytes became %d, flags %#x: not compressed", len(m), len(first), first[0])
	}
}

func TestSecretsDoNotPrint(t *testing.T) {
	key := drawKey(t)
	e := Enrolment{ServerKey: key.Public(), Address: "h:1", Secret: []byte("TOPSECRET")}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		text := fmt.Sprintf(verb, key) + fmt.Sprintf(verb, &key) + fmt.Sprintf(verb, e) + fmt.Sprintf(verb, &e)
		if strings.Contains(text, "TOPSECRET") || strings.Contains(text, fmt.Sprintf(verb, key.pair.Bytes())) {
			t.Errorf("%s prints a secret", verb)
		}
	}
}
