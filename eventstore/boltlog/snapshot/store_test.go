package snapshot_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/domain"
	"rollcall/domain/broker"
	"rollcall/eventstore/boltlog"
	"rollcall/eventstore/boltlog/snapshot"
)

const version = "v1.2.3"

// place is a log in a folder with what its events make, decided as a broker decides.
type place struct {
	testing.TB
	dir    string
	log    *boltlog.Log
	ledger *domain.Ledger
	now    time.Time
	store  *snapshot.Store
}

func open(t testing.TB, dir string) *place {
	t.Helper()
	log, err := boltlog.Open(dir, boltlog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { log.Close() })
	p := &place{t, dir, log, domain.NewLedger(), time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC), snapshot.New(dir, log, version)}
	for r, err := range log.Read(t.Context(), 1) {
		if err != nil {
			t.Fatal(err)
		}
		p.ledger.Apply(r)
	}
	return p
}

// do decides something and makes a block of it.
func (p *place) do(commands ...domain.Command) {
	p.Helper()
	for _, c := range commands {
		events, err := domain.Decide(p.ledger, c)
		if err != nil {
			p.Fatal(err)
		}
		var batch domain.Batch
		for _, e := range events {
			r := domain.Record{Position: p.ledger.Position() + 1, Time: p.ledger.Stamp(p.now), Event: e}
			p.ledger.Apply(r)
			batch.Records = append(batch.Records, r)
		}
		if _, err := p.log.Append(p.Context(), p.log.Last(), batch); err != nil {
			p.Fatal(err)
		}
	}
	if err := p.log.Pack(); err != nil {
		p.Fatal(err)
	}
}

// begin has a service with one live session and one login under way.
func (p *place) begin() {
	p.do(domain.ConfigureService{Name: "im", Settings: domain.Settings{Kind: domain.KindLocal, Options: map[string]string{"roster": "nobody"}}},
		domain.OfferEnrolment{Permit: []domain.ServiceID{1}, ValidFor: time.Hour}, domain.EnrolDevice{Offer: 3},
		domain.OfferEnrolment{Person: 2, ValidFor: time.Hour}, domain.EnrolDevice{Offer: 5},
		domain.RequestLogin{Device: 4, Service: 1, Account: 2}, domain.AcceptLogin{Session: 7},
		domain.RequestLogin{Device: 6, Service: 1, Account: 2})
}

func (p *place) snapshot() broker.Snapshot {
	return broker.Snapshot{Ledger: p.ledger.State(), Ended: []broker.Ended{
		{Session: 7, Device: 4, Account: 2, Cause: domain.EndLogout}, {Session: 9, Device: 6, IdledOut: true}, {Session: 1 << 40},
	}}
}

func (p *place) save() broker.Snapshot {
	p.Helper()
	s := p.snapshot()
	if err := p.store.Save(p.Context(), s); err != nil {
		p.Fatal(err)
	}
	return s
}

func (p *place) file() string { return filepath.Join(p.dir, "ledger.snapshot") }

// wantLoaded fails unless the snapshot that is loaded is want.
func (p *place) wantLoaded(want broker.Snapshot) {
	p.Helper()
	got, ok, err := p.store.Load(p.Context())
	if diff := cmp.Diff(want, got); diff != "" || !ok || err != nil {
		p.Errorf("Load: %v, %v (-want +got)\n%s", ok, err, diff)
	}
}

// wantUnusable fails unless loading says so, and why.
func (p *place) wantUnusable(says string) {
	p.Helper()
	_, ok, err := p.store.Load(p.Context())
	var unusable *snapshot.UnusableError
	if ok || !errors.As(err, &unusable) || !strings.Contains(err.Error(), says) {
		p.Errorf("Load = %v, %v; want an UnusableError with %q", ok, err, says)
	}
}

func TestSaveAndLoad(t *testing.T) {
	p := open(t, t.TempDir())
	if _, ok, err := p.store.Load(t.Context()); ok || err != nil {
		t.Errorf("Load of nothing = %v, %v", ok, err)
	}
	if n := p.store.Newest(); n != 0 {
		t.Errorf("Newest of an empty log = %d", n)
	}
	p.begin()
	if n := p.store.Newest(); n != p.log.Last() {
		t.Errorf("Newest = %d, want %d", n, p.log.Last())
	}
	first := p.save()
	p.wantLoaded(first)
	p.do(domain.EndSession{Session: 7, Cause: domain.EndLogout})
	p.wantLoaded(first) // the log has gone on behind it
	second := p.save()
	p.wantLoaded(second)
	files, err := os.ReadDir(p.dir)
	if err != nil || slices.ContainsFunc(files, func(f fs.DirEntry) bool { return strings.HasSuffix(f.Name(), ".new") }) {
		t.Errorf("left over: %v, %v", files, err)
	}
	if err := p.log.Close(); err != nil {
		t.Fatal(err)
	}
	open(t, p.dir).wantLoaded(second)
}

// A snapshot is made at the end of a block, and nowhere else.
func TestSaveNeedsABoundary(t *testing.T) {
	p := open(t, t.TempDir())
	p.begin()
	s := p.snapshot()
	s.Ledger.Position--
	if err := p.store.Save(t.Context(), s); err == nil {
		t.Error("a snapshot within a block was saved")
	}
	if _, err := os.Stat(p.file()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("there is a file: %v", err)
	}
}

// What cannot be put in place leaves nothing behind.
func TestSaveFails(t *testing.T) {
	p := open(t, t.TempDir())
	p.begin()
	if err := os.MkdirAll(filepath.Join(p.file(), "in the way"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := p.store.Save(t.Context(), p.snapshot()); err == nil {
		t.Error("a snapshot was saved in the place of a folder")
	}
	if _, err := os.Stat(p.file() + ".new"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("there is a file left over: %v", err)
	}
}

// Whatever byte of the file is changed, and wherever it is cut, it is not used.
func TestDamagedSnapshot(t *testing.T) {
	p := open(t, t.TempDir())
	p.begin()
	p.save()
	whole, err := os.ReadFile(p.file())
	if err != nil {
		t.Fatal(err)
	}
	for i := range whole {
		bad := slices.Clone(whole)
		bad[i] ^= 1 << (i % 8)
		p.write(bad)
		p.wantUnusable("")
		p.write(whole[:i])
		p.wantUnusable("")
	}
	p.write(whole)
	if _, ok, err := p.store.Load(t.Context()); !ok || err != nil {
		t.Errorf("Load of the whole file = %v, %v", ok, err)
	}
}

func (p *place) write(b []byte) {
	p.Helper()
	if err := os.WriteFile(p.file(), b, 0o600); err != nil {
		p.Fatal(err)
	}
}

// change changes a whole snapshot and puts the checksum right.
func (p *place) change(how func(b []byte)) {
	p.Helper()
	b, err := os.ReadFile(p.file())
	if err != nil {
		p.Fatal(err)
	}
	content := b[:len(b)-sha256.Size]
	how(content)
	sum := sha256.Sum256(content)
	p.write(append(content, sum[:]...))
}

// A snapshot that was not made of this log by this program is not used, however
// whole it is.
func TestForeignSnapshot(t *testing.T) {
	cases := []struct {
		name   string
		change func(p *place)
		says   string
	}{
		{"of a newer format", func(p *place) { p.change(func(b []byte) { b[7]++ }) }, "format 2"},
		{"of an older version", func(p *place) { p.store = snapshot.New(p.dir, p.log, "v1.2.4") }, "another version"},
		{"of another log", func(p *place) { p.change(func(b []byte) { b[8]++ }) }, "another log"},
		{"of a position without a block", func(p *place) { p.change(func(b []byte) { b[31]++ }) }, "no block that ends there"},
		{"of another history", func(p *place) { p.change(func(b []byte) { b[32]++ }) }, "another history"},
		{"whose content is of another position", func(p *place) {
			said := []byte{1 << 3, byte(p.ledger.Position())} // the first field of the ledger
			p.change(func(b []byte) { b[96+bytes.Index(b[96:], said)+1]-- })
		}, "holds position"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			p := open(t, t.TempDir())
			p.begin()
			p.save()
			c.change(p)
			p.wantUnusable(c.says)
		})
	}
}

// A log that was restored from a backup and then went another way must not take up
// the snapshot of the way it did not go: neither at a position that both have, nor
// at one that only the other had.
func TestSnapshotOfAnotherHistory(t *testing.T) {
	p := open(t, t.TempDir())
	p.begin()
	early := p.save()
	earlyFile, err := os.ReadFile(p.file())
	if err != nil {
		t.Fatal(err)
	}
	restored := t.TempDir()
	if err := p.log.Backup(t.Context(), filepath.Join(restored, "log.db")); err != nil {
		t.Fatal(err)
	}
	p.do(domain.EndSession{Session: 7, Cause: domain.EndLogout})
	late := p.save()
	p.wantLoaded(late)
	lateFile, err := os.ReadFile(p.file())
	if err != nil {
		t.Fatal(err)
	}

	q := open(t, restored)
	q.write(lateFile)
	q.wantUnusable("no block that ends there")
	q.do(domain.EndSession{Session: 7, Cause: domain.EndedByOperator}) // as long, and not the same
	if q.log.Last() != p.log.Last() || q.log.ID() != p.log.ID() {
		t.Fatal("the histories differ in more than they should")
	}
	q.wantUnusable("another history")
	q.write(earlyFile)
	q.wantLoaded(early) // up to there it is the same history
}

// Compacting writes the log anew, and the snapshot stays what it was.
func TestSnapshotOfACompactedLog(t *testing.T) {
	p := open(t, t.TempDir())
	p.begin()
	want := p.save()
	if err := p.log.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := boltlog.Compact(context.Background(), p.dir); err != nil {
		t.Fatal(err)
	}
	open(t, p.dir).wantLoaded(want)
}

// For reading only, a snapshot can be used and none is made.
func TestSnapshotOfALogForReading(t *testing.T) {
	p := open(t, t.TempDir())
	p.begin()
	want := p.save()
	if err := p.log.Close(); err != nil {
		t.Fatal(err)
	}
	log, err := boltlog.Open(p.dir, boltlog.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	p.store = snapshot.New(p.dir, log, version)
	p.wantLoaded(want)
}
