package inbox_test

import (
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"go.etcd.io/bbolt"

	"rollcall/adapters/inbox"
	"rollcall/domain"
	"rollcall/domain/broker"
)

const damagedBoxes, damagedLetters = 12, 20

// intact gives the bytes of an inbox of a good many pages.
func intact(t testing.TB) []byte {
	t.Helper()
	dir := t.TempDir()
	i := open(t, dir, inbox.Unsynced(inbox.Options{}))
	for m := range domain.DeviceID(damagedBoxes) {
		id := broker.MailboxID{Device: m}
		for n := uint64(1); n <= damagedLetters; n++ {
			l := letter(n)
			l.Sealed = append(l.Sealed, make([]byte, n*n*14)...)
			if _, err := i.Put(t.Context(), id, l); err != nil {
				t.Fatal(err)
			}
			answer(t, i, id, int(n))
		}
	}
	if err := i.Close(); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(dir, inbox.FileName))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// contents is all that an inbox gives.
type contents struct {
	Boxes   []broker.Mailbox
	Letters [][]broker.Kept
	Answers [][]broker.Answer
}

// examine opens bytes as an inbox and reads all of it. An error is a DamageError
// that names the file, never anything else.
func examine(t *testing.T, file string, b []byte) (c contents, damaged bool) {
	t.Helper()
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	i, err := inbox.Open(file, log1, inbox.Unsynced(inbox.Options{}))
	if err != nil {
		var damage *inbox.DamageError
		if !errors.As(err, &damage) || damage.Path != file || !strings.Contains(err.Error(), "move it away") {
			t.Errorf("Open = %T %v, want a DamageError", err, err)
		}
		return c, true
	}
	defer i.Close()
	for m, err := range i.Mailboxes(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		kept, err1 := i.Letters(t.Context(), m.ID, 0, 1000)
		answers, err2 := i.Answers(t.Context(), m.ID)
		if err := errors.Join(err1, err2); err != nil {
			t.Fatal(err)
		}
		c.Boxes, c.Letters, c.Answers = append(c.Boxes, m), append(c.Letters, kept), append(c.Answers, answers)
	}
	return c, false
}

// Whatever bit is flipped, the inbox is refused or holds what it held. It is never
// less, never something else, and never a crash.
func TestFlippedBits(t *testing.T) {
	whole := intact(t)
	file := filepath.Join(t.TempDir(), inbox.FileName)
	want, damaged := examine(t, file, whole)
	if damaged || len(want.Boxes) != damagedBoxes || len(want.Letters[3]) != damagedLetters {
		t.Fatalf("the intact inbox has %d mailboxes", len(want.Boxes))
	}
	random := rand.New(rand.NewPCG(1, 2))
	noticed := 0
	for range 200 {
		b := append([]byte(nil), whole...)
		at := random.IntN(len(b)) &^ 0xfff
		if random.IntN(3) > 0 {
			at += random.IntN(80) // the head of a page
		} else {
			at += random.IntN(4096)
		}
		b[at] ^= 1 << random.IntN(8)
		got, damaged := examine(t, file, b)
		if damaged {
			noticed++
			continue
		}
		if !reflect.DeepEqual(want, got) {
			t.Errorf("a bit of byte %d is flipped, and not noticed", at)
		}
	}
	if noticed < 50 {
		t.Errorf("%d flipped bits were noticed", noticed)
	}
}

// However short a file has been cut, that is noticed, unless nothing was there.
func TestCut(t *testing.T) {
	whole := intact(t)
	file := filepath.Join(t.TempDir(), inbox.FileName)
	want, _ := examine(t, file, whole)
	for n := 0; n < len(whole); n += 3777 {
		got, damaged := examine(t, file, whole[:n])
		if !damaged && !reflect.DeepEqual(want, got) {
			t.Errorf("cut to %d of %d bytes: not noticed", n, len(whole))
		}
	}
}

// What no checksum tells of is told by what the rows say of each other.
func TestRowsThatDoNotFit(t *testing.T) {
	key := func(device, kind byte, number ...byte) []byte {
		k := append(make([]byte, 7), device)
		k = append(append(k, make([]byte, 8)...), kind)
		if number != nil {
			k = append(append(k, make([]byte, 7)...), number[0])
		}
		return k
	}
	remove := func(key []byte) func(*bbolt.Tx) error {
		return func(tx *bbolt.Tx) error { return tx.Bucket([]byte("rows")).Delete(key) }
	}
	tests := map[string]func(*bbolt.Tx) error{
		"the first letter is missing": remove(key(3, 2, 1)),
		"a letter is missing":         remove(key(3, 2, 7)),
		"the last letter is missing":  remove(key(3, 2, damagedLetters)),
		"a head is missing":           remove(key(3, 1)),
		"an unknown kind of row":      func(tx *bbolt.Tx) error { return tx.Bucket([]byte("rows")).Put(key(3, 9), []byte("?")) },
		"an unknown bucket":           func(tx *bbolt.Tx) error { _, err := tx.CreateBucket([]byte("x")); return err },
		"a bucket in place of a row":  func(tx *bbolt.Tx) error { _, err := tx.Bucket([]byte("rows")).CreateBucket(key(3, 9)); return err },
		"the rows are missing":        func(tx *bbolt.Tx) error { return tx.DeleteBucket([]byte("rows")) },
		"the head of all is missing":  func(tx *bbolt.Tx) error { return tx.DeleteBucket([]byte("meta")) },
		"a value under another's key": func(tx *bbolt.Tx) error {
			b := tx.Bucket([]byte("rows"))
			return b.Put(key(3, 2, 5), append([]byte(nil), b.Get(key(3, 2, 6))...))
		},
		"a mailbox is missing, wholly": func(tx *bbolt.Tx) error { return removeBox(tx, key(3, 1)[:16]) },
	}
	whole := intact(t)
	for name, work := range tests {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), inbox.FileName)
			if err := os.WriteFile(file, whole, 0o600); err != nil {
				t.Fatal(err)
			}
			edit(t, file, work)
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if _, damaged := examine(t, file, b); !damaged {
				t.Error("not noticed")
			}
		})
	}
}

func removeBox(tx *bbolt.Tx, prefix []byte) error {
	rows := tx.Bucket([]byte("rows"))
	for {
		k, _ := rows.Cursor().Seek(prefix)
		if k == nil || string(k[:16]) != string(prefix) {
			return nil
		}
		if err := rows.Delete(k); err != nil {
			return err
		}
	}
}
