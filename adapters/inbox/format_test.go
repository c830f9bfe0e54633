package inbox_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.etcd.io/bbolt"

	"rollcall/adapters/inbox"
	"rollcall/domain"
	"rollcall/domain/broker"
)

// The example in docs/storage-format.md is what the inbox writes.
func TestDocsExample(t *testing.T) {
	b, err := os.ReadFile("../../docs/storage-format.md")
	if err != nil {
		t.Fatal(err)
	}
	_, example, _ := strings.Cut(string(b), "```inbox-example\n")
	example, _, found := strings.Cut(example, "```\n")
	if !found {
		t.Error("there is no example in the page")
	}
	path := filepath.Join(t.TempDir(), inbox.FileName)
	writeExample(t, path)
	if diff := cmp.Diff(example, dump(t, path)); diff != "" {
		t.Errorf("-page +inbox:\n%s", diff)
	}
}

func writeExample(t *testing.T, path string) {
	t.Helper()
	id := broker.MailboxID{Device: 9, Account: 5}
	i, err := inbox.Open(path, domain.LogID{0: 0xaa, 15: 0xbb}, inbox.Options{Letters: 2})
	if err != nil {
		t.Fatal(err)
	}
	for n := uint64(1); n <= 3; n++ {
		l := broker.Letter{Number: n, Sealed: []byte("sealed"), Key: [32]byte{0: 0x11, 31: 0x22}, At: start}
		if n == 3 {
			l.Digest = broker.Digest{0: 0x33, 15: 0x44}
		}
		if _, err := i.Put(t.Context(), id, l); err != nil {
			t.Fatal(err)
		}
	}
	if err := i.Answer(t.Context(), id, broker.Answer{Message: broker.Digest{0: 0x55, 15: 0x66}, Refused: true}); err != nil {
		t.Fatal(err)
	}
	if err := i.Close(); err != nil {
		t.Fatal(err)
	}
}

// dump gives every bucket, key and value.
func dump(t *testing.T, path string) string {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var out strings.Builder
	err = db.View(func(tx *bbolt.Tx) error {
		return tx.ForEach(func(name []byte, bucket *bbolt.Bucket) error {
			return bucket.ForEach(func(key, value []byte) error {
				fmt.Fprintf(&out, "%s %x %x\n", name, key, value)
				return nil
			})
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return out.String()
}
