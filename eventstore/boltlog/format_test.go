package boltlog_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.etcd.io/bbolt"

	"rollcall/domain"
	"rollcall/eventstore"
)

// The example in docs/storage-format.md is what the log writes.
func TestDocsExample(t *testing.T) {
	b, err := os.ReadFile("../../docs/storage-format.md")
	if err != nil {
		t.Fatal(err)
	}
	_, example, _ := strings.Cut(string(b), "```example\n")
	example, _, found := strings.Cut(example, "```\n")
	if !found {
		t.Fatal("there is no example in the page")
	}
	dir := t.TempDir()
	log := open(t, dir)
	if _, err := log.Append(t.Context(), 0, exampleBatch()); err != nil {
		t.Fatal(err)
	}
	pack(t, log)
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(example, dump(t, dir)); diff != "" {
		t.Errorf("-page +log:\n%s", diff)
	}
}

func exampleBatch() eventstore.Batch {
	at := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	later := at.Add(1500 * time.Millisecond)
	chat := domain.Settings{Kind: domain.KindLocal, MaxSessions: domain.Some[uint32](2)}
	return eventstore.Batch{
		Records: []eventstore.Record{
			{Position: 1, Time: at, Event: &domain.BrokerStarted{Version: "v1.0.0"}},
			{Position: 2, Time: later, Event: &domain.ServiceConfigured{Service: 2, Name: "chat", Settings: chat}},
			{Position: 3, Time: later, Event: &domain.PersonPermitted{Person: 3, Service: 2}},
		},
		Sides: []eventstore.Side{
			{SideKey: eventstore.SideKey{Position: 3, Kind: domain.SidePersonName}, Value: []byte("ann")},
		},
	}
}

// dump gives every bucket, key and value but for the ids of the log and of its
// journal, which are random.
func dump(t *testing.T, dir string) string {
	t.Helper()
	db, err := bbolt.Open(filepath.Join(dir, "log.db"), 0o600, &bbolt.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var out strings.Builder
	err = db.View(func(tx *bbolt.Tx) error {
		return tx.ForEach(func(name []byte, bucket *bbolt.Bucket) error {
			return bucket.ForEach(func(key, value []byte) error {
				if string(key) != "id" && string(key) != "journal" {
					fmt.Fprintf(&out, "%s %x %x\n", name, key, value)
				}
				return nil
			})
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return out.String()
}
