package whole_test

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/adapters/local"
	"rollcall/domain"
	"rollcall/domain/broker"
	"rollcall/eventstore/boltlog"
	"rollcall/eventstore/boltlog/snapshot"
)

// start is what a broker has after it was opened.
type start struct {
	seats   []domain.Seat
	service domain.Service
	said    string
}

// openOnce opens a broker on a folder, with the snapshots of a version of the program
// ("" for none), looks, and stops it. It writes nothing but what Stop may: a snapshot.
func openOnce(t *testing.T, dir, version string) (s start) {
	t.Helper()
	var said strings.Builder
	log := must(boltlog.Open(dir, boltlog.Options{}))(t)
	config := broker.Config{Log: log, Connectors: []broker.Connector{local.New(nil, slog.Default())}, Logger: slog.New(slog.NewTextHandler(&said, nil))}
	if version != "" {
		config.Snapshots = snapshot.New(dir, log, version)
	}
	b := must(broker.Open(t.Context(), config))(t)
	s.seats = must(b.Seats(t.Context()))(t)
	s.service = must(b.Service(t.Context(), "im"))(t)
	check(t, errors.Join(b.Stop(context.Background()), log.Close()))
	s.said = said.String()
	return s
}

// A start with a snapshot has what a start without one has: after the next one too,
// after a backup was restored beside it, and after it was damaged.
func TestStartWithASnapshot(t *testing.T) {
	dir := t.TempDir()
	snapshotFile := filepath.Join(dir, "ledger.snapshot")
	c := newCity(t, dir, 40)
	c.grow(25_000)
	c.flush()
	check(t, c.log.Pack())
	c.close()
	same := func(when string, silent bool) {
		t.Helper()
		want, got := openOnce(t, dir, ""), openOnce(t, dir, "v1")
		if diff := cmp.Diff(want.seats, got.seats); diff != "" || !want.service.Settings.Equal(got.service.Settings) || want.service.Seats != got.service.Seats {
			t.Errorf("%s: %+v, want %+v; seats (-without +with a snapshot):\n%s", when, got.service, want.service, diff)
		}
		if silent != (got.said == "") {
			t.Errorf("%s: it says %q", when, got.said)
		}
	}
	if _, err := os.Stat(snapshotFile); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("there is a snapshot already: %v", err)
	}
	same("at first", true)
	first := must(os.ReadFile(snapshotFile))(t)
	same("with a snapshot", true)

	c.open()
	early := c.log.Last()
	backup := filepath.Join(t.TempDir(), "backup.db")
	check(t, c.log.Backup(t.Context(), backup))
	c.grow(early + 30_000)
	c.flush()
	check(t, c.log.Pack())
	c.close()
	same("with a snapshot and more events", true)
	if second := must(os.ReadFile(snapshotFile))(t); string(first) == string(second) {
		t.Error("no other snapshot was made")
	}

	check(t, os.RemoveAll(filepath.Join(dir, "journal")))
	check(t, os.Rename(backup, filepath.Join(dir, "log.db")))
	same("with the snapshot of a history that was undone", false)

	check(t, os.WriteFile(snapshotFile, first[:len(first)-7], 0o600))
	same("with a damaged snapshot", false)
}

// A start that has to read much makes a snapshot on the way, of the same.
func TestStartMakesASnapshotOnTheWay(t *testing.T) {
	dir := t.TempDir()
	c := newCity(t, dir, 300)
	c.grow(260_000)
	c.flush()
	check(t, c.log.Pack())
	c.grow(c.ledger.Position() + 4000) // behind the last block
	c.close()
	want := openOnce(t, dir, "")
	for _, start := range []string{"makes a snapshot", "has one"} {
		got := openOnce(t, dir, "v1")
		if diff := cmp.Diff(want.seats, got.seats); diff != "" || got.said != "" {
			t.Errorf("the start that %s says %q (-without +with):\n%s", start, got.said, diff)
		}
		if _, err := os.Stat(filepath.Join(dir, "ledger.snapshot")); err != nil {
			t.Error(err)
		}
	}
}
