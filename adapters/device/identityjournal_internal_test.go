package device

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// newIdentity writes an identity file with two sessions, and opens it.
func newIdentity(t testing.TB, path string) *Identity {
	t.Helper()
	st := identityState{Format: 1, Key: drawKey(t).pair.Bytes(), Server: make([]byte, keySize), Address: "h:1", Token: make([]byte, 8),
		Device: 7, Sessions: map[string]*savedSession{"chat": {Session: 1}, "work": {Session: 2}}}
	if err := writeNew(path, st.encode()); err != nil {
		t.Fatal(err)
	}
	return openAgain(t, path)
}

func openAgain(t testing.TB, path string) *Identity {
	t.Helper()
	i, err := OpenIdentity(path)
	if err != nil {
		t.Fatalf("OpenIdentity = %v", err)
	}
	return i
}

// sessions gives what is saved, as text.
func (i *Identity) sessions() string {
	var b strings.Builder
	for _, service := range []string{"chat", "work"} {
		if s := i.state.Sessions[service]; s != nil {
			fmt.Fprintf(&b, "%s %d received %d outbox %v\n", service, s.Session, s.Received, s.Outbox)
		}
	}
	for _, l := range i.state.Left {
		fmt.Fprintf(&b, "%s %s left %v\n", l.Service, l.Account, l.Outbox)
	}
	return b.String()
}

// TestWhatWasSyncedOutlivesACrash does what clients do, crashes at any moment with
// any part of what was not synced lost, and looks for the state at some moment
// since the last sync.
func TestWhatWasSyncedOutlivesACrash(t *testing.T) {
	dir := t.TempDir()
	round := 0
	rapid.Check(t, func(t *rapid.T) {
		round++
		path := filepath.Join(dir, fmt.Sprint(round))
		i := newIdentityFor(t, path)
		defer func() { i.Close() }()
		possible := []string{i.sessions()} // the states that a crash may leave, since the last sync
		synced := int64(0)
		session := map[string]uint64{"chat": 1, "work": 2}
		id := 0
		for range rapid.IntRange(1, 16).Draw(t, "steps") {
			service := rapid.SampledFrom([]string{"chat", "work"}).Draw(t, "service")
			durable := true
			n := note{Service: service, Session: session[service]}
			var err error
			switch rapid.SampledFrom([]string{"send", "send", "sent", "received", "login", "forget", "stale", "crash"}).Draw(t, "step") {
			case "send":
				id++
				n.Send = &savedSend{ID: fmt.Sprint(id), Body: rapid.StringN(0, 20, 40).Draw(t, "body")}
				_, there := i.session(service)
				if err = i.note(n, true); errors.Is(err, ErrSessionOver) && !there {
					err = nil
				}
			case "sent":
				n.Sent, durable = fmt.Sprint(rapid.IntRange(0, id).Draw(t, "id")), false
				err = i.note(n, false)
			case "received":
				n.Received = rapid.Uint64Range(1, 50).Draw(t, "number")
				err = i.note(n, true)
			case "login":
				session[service] += 10
				err = i.update(func(st *identityState) { st.begin(service, &savedSession{Session: session[service]}) })
			case "forget":
				err = i.forget(service, session[service])
			case "stale": // the identity file was written anew, and the journal not yet begun anew
				old, _ := os.ReadFile(path + ".journal") // there may be none
				err = i.update(func(*identityState) {})
				i.Close()
				if err := os.WriteFile(path+".journal", old, 0o600); err != nil {
					t.Fatal(err)
				}
				i = openFor(t, path)
				synced = int64(len(old))
				possible = []string{i.sessions()}
			case "crash":
				i.Close()
				cutAnywhere(t, path+".journal", synced)
				i = openFor(t, path)
				if found := i.sessions(); !contains(possible, found) {
					t.Fatalf("after a crash there is\n%swant one of\n%s", found, strings.Join(possible, "or\n"))
				}
				possible, synced = []string{i.sessions()}, i.journal.size
			}
			if err != nil {
				t.Fatal(err)
			}
			if durable {
				possible, synced = nil, i.journal.size
			}
			possible = append(possible, i.sessions())
		}
	})
}

func newIdentityFor(t *rapid.T, path string) *Identity {
	key, err := NewKey()
	if err != nil {
		t.Fatal(err)
	}
	st := identityState{Format: 1, Key: key.pair.Bytes(), Server: make([]byte, keySize), Address: "h:1", Token: make([]byte, 8),
		Sessions: map[string]*savedSession{"chat": {Session: 1}, "work": {Session: 2}}}
	if err := os.WriteFile(path, st.encode(), 0o600); err != nil {
		t.Fatal(err)
	}
	return openFor(t, path)
}

func openFor(t *rapid.T, path string) *Identity {
	i, err := OpenIdentity(path)
	if err != nil {
		t.Fatalf("OpenIdentity = %v", err)
	}
	return i
}

// cutAnywhere has a file lose or garble some of its end, down to what was synced.
func cutAnywhere(t *rapid.T, path string, synced int64) {
	b, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	keep := rapid.IntRange(int(synced), len(b)).Draw(t, "keep")
	garbage := rapid.SliceOfN(rapid.Byte(), 0, 30).Draw(t, "garbage")
	if err := os.WriteFile(path, append(b[:keep:keep], garbage...), 0o600); err != nil {
		t.Fatal(err)
	}
}

func contains(all []string, one string) bool {
	for _, s := range all {
		if s == one {
			return true
		}
	}
	return false
}

func TestJournalStaysSmall(t *testing.T) {
	path := filepath.Join(t.TempDir(), "identity")
	i := newIdentity(t, path)
	body := strings.Repeat("x", MaxBody)
	for k := range 200 { // 10 MB of messages, each answered
		m := savedSend{ID: fmt.Sprint(k), Body: body}
		must(t, i.note(note{Service: "chat", Session: 1, Send: &m}, true))
		must(t, i.note(note{Service: "chat", Session: 1, Sent: m.ID}, false))
	}
	for _, file := range []string{path, path + ".journal"} {
		info, err := os.Stat(file)
		must(t, err)
		if info.Size() > smallJournal+100_000 || info.Mode().Perm() != 0o600 {
			t.Errorf("%s has %d bytes, mode %v", filepath.Base(file), info.Size(), info.Mode())
		}
	}
	must(t, i.Close())
	again := openAgain(t, path)
	defer again.Close()
	if diff := cmp.Diff(i.sessions(), again.sessions()); diff != "" {
		t.Errorf("opened again (-was +is):\n%s", diff)
	}
}

// A journal that cannot be trusted any more is left behind: the next change is
// written with all else into a new identity file.
func TestBrokenJournalIsLeftBehind(t *testing.T) {
	path := filepath.Join(t.TempDir(), "identity")
	i := newIdentity(t, path)
	must(t, i.note(note{Service: "chat", Session: 1, Send: &savedSend{ID: "1"}}, true))
	must(t, i.journal.file.Close()) // every write fails from now on
	if err := i.note(note{Service: "chat", Session: 1, Send: &savedSend{ID: "2"}}, true); err == nil {
		t.Error("a note that could not be written was taken")
	}
	must(t, i.note(note{Service: "chat", Session: 1, Send: &savedSend{ID: "3"}}, true))
	want := i.sessions()
	must(t, i.Close())
	again := openAgain(t, path)
	defer again.Close()
	if got := again.sessions(); got != want || !strings.Contains(got, "[{1  } {3  }]") {
		t.Errorf("opened again:\n%swant\n%s", got, want)
	}
}

func FuzzJournal(f *testing.F) {
	m := savedSend{ID: "1", To: "bob", Body: "hi"}
	good := append(note{Of: 3, Service: "chat", Session: 1, Send: &m}.line(), note{Of: 3, Service: "chat", Session: 1, Received: 9}.line()...)
	f.Add(good)
	f.Add(good[:len(good)-3])
	f.Add(note{Of: 3, Service: "chat", Session: 1, Sent: "1"}.line())
	f.Fuzz(func(t *testing.T, b []byte) {
		fresh := func() *identityState {
			return &identityState{Journal: 3, Sessions: map[string]*savedSession{"chat": {Session: 1}}}
		}
		once := fresh()
		size, err := replayNotes(bytes.NewReader(b), once)
		if err != nil || size > int64(len(b)) {
			t.Fatalf("replayNotes = %d, %v of %d bytes", size, err, len(b))
		}
		again := fresh()
		if whole, err := replayNotes(bytes.NewReader(b[:size]), again); err != nil || whole != size {
			t.Errorf("the %d bytes that count are %d (%v)", size, whole, err)
		}
		if diff := cmp.Diff(once, again); diff != "" {
			t.Errorf("what does not count has counted:\n%s", diff)
		}
	})
}

// BenchmarkNote is what a message costs a client's disk while a thousand others
// wait for their answers.
func BenchmarkNote(b *testing.B) {
	i := newIdentity(b, filepath.Join(b.TempDir(), "identity"))
	defer i.Close()
	for k := range maxOutbox - 1 {
		m := savedSend{ID: fmt.Sprint("old", k), To: "bob@example.org", Body: "could you please send me the report?"}
		if err := i.note(note{Service: "chat", Session: 1, Send: &m}, false); err != nil {
			b.Fatal(err)
		}
	}
	b.Run("journal", func(b *testing.B) {
		for k := 0; b.Loop(); k++ {
			m := savedSend{ID: fmt.Sprint(k), To: "bob@example.org", Body: "could you please send me the report?"}
			if err := i.note(note{Service: "chat", Session: 1, Send: &m}, true); err != nil {
				b.Fatal(err)
			}
			if err := i.note(note{Service: "chat", Session: 1, Sent: m.ID}, false); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("whole file", func(b *testing.B) {
		for b.Loop() {
			if err := i.update(func(*identityState) {}); err != nil {
				b.Fatal(err)
			}
			if err := i.update(func(*identityState) {}); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func TestIdentityFormats(t *testing.T) {
	path := filepath.Join(t.TempDir(), "identity")
	i := newIdentity(t, path) // of format 1
	must(t, i.update(func(*identityState) {}))
	must(t, i.Close())
	b, err := os.ReadFile(path)
	must(t, err)
	if !bytes.Contains(b, []byte(`"format": 3`)) {
		t.Errorf("written anew it is\n%s", b)
	}
	newer := bytes.Replace(b, []byte(`"format": 3`), []byte(`"format": 4, "more": true`), 1)
	must(t, os.WriteFile(path, newer, 0o600))
	var fault *IdentityError
	if _, err := OpenIdentity(path); !errors.As(err, &fault) || !strings.Contains(fault.Fault, "format 4") {
		t.Errorf("OpenIdentity of a newer format = %v, want to hear of the format", err)
	}
}
