package boltlog_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/domain"
	"rollcall/eventstore"
	"rollcall/eventstore/boltlog"
	"rollcall/eventstore/boltlog/internal/failpoint"
	"rollcall/eventstore/verify"
)

// register is a log by the rules: people with a device each, logged in, every
// other one erased.
type register struct {
	records []eventstore.Record
	sides   []eventstore.Side
	erased  []eventstore.SideKey
}

func newRegister() *register {
	const people = 40
	r := &register{}
	ledger, now := domain.NewLedger(), time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	do := func(c domain.Command) (first eventstore.Position) {
		events, err := domain.Decide(ledger, c)
		if err != nil {
			panic(err)
		}
		first = ledger.Position() + 1
		for _, e := range events {
			record := domain.Record{Position: ledger.Position() + 1, Time: ledger.Stamp(now), Event: e}
			ledger.Apply(record)
			r.records = append(r.records, record)
		}
		return first
	}
	do(domain.StartBroker{At: now, Version: "v1"})
	chat := domain.ServiceID(do(domain.ConfigureService{At: now, Name: "chat", Settings: domain.Settings{Kind: domain.KindLocal}}))
	for n := range people {
		now = now.Add(time.Second)
		person := do(domain.OfferEnrolment{At: now, Permit: []domain.ServiceID{chat}, ValidFor: time.Hour})
		device := do(domain.EnrolDevice{At: now, Offer: domain.OfferID(person + 1)})
		session := do(domain.RequestLogin{At: now, Device: domain.DeviceID(device), Service: chat, Account: domain.AccountID(person)})
		do(domain.AcceptLogin{At: now, Session: domain.SessionID(session)})
		r.describe(n, person, domain.SidePersonName)
		r.describe(n, device, domain.SideDeviceLabel)
		r.describe(n, session, domain.SideAddress)
	}
	return r
}

func (r *register) describe(n int, p eventstore.Position, kind domain.SideKind) {
	key := eventstore.SideKey{Position: p, Kind: kind}
	if n%2 == 0 {
		r.erased = append(r.erased, key)
		r.sides = append(r.sides, eventstore.Side{SideKey: key, Value: fmt.Appendf(nil, "canary-%d", p)})
		return
	}
	r.sides = append(r.sides, eventstore.Side{SideKey: key, Value: fmt.Appendf(nil, "staying-%d", p)})
}

const registerSegment = 16 << 10

// keep writes the register to a folder: a part packed, the rest in the journal.
func (r *register) keep(t *testing.T, dir string) {
	t.Helper()
	log := openWith(t, dir, boltlog.Options{SegmentSize: registerSegment})
	half := len(r.records) / 2
	for _, batch := range []eventstore.Batch{{Records: r.records[:half]}, {Records: r.records[half:], Sides: r.sides}, {Forget: r.erased}} {
		if batch.Forget != nil {
			pack(t, log) // so that what is forgotten lay in log.db
		}
		if _, err := log.Append(t.Context(), log.Last(), batch); err != nil {
			t.Fatal(err)
		}
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
}

// want fails unless the log holds every event, exactly the side records that were
// not erased, and nothing that is wrong.
func (r *register) want(t *testing.T, dir string, readOnly bool) {
	t.Helper()
	defer noForks()()
	log, err := boltlog.Open(dir, boltlog.Options{SegmentSize: registerSegment, ReadOnly: readOnly})
	if err != nil {
		t.Errorf("open, read only %v: %v", readOnly, err)
		return
	}
	defer log.Close()
	r.wantIn(t, log)
}

func (r *register) wantIn(t *testing.T, log *boltlog.Log) {
	t.Helper()
	var records []eventstore.Record
	for record, err := range log.Read(t.Context(), 1) {
		if err != nil {
			t.Fatal(err)
		}
		records = append(records, record)
	}
	if diff := cmp.Diff(r.records, records); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	count := 0
	for s, err := range log.Sides(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if count++; !strings.HasPrefix(string(s.Value), "staying-") {
			t.Errorf("side record %v is %q", s.SideKey, s.Value)
		}
	}
	if want := len(r.sides) - len(r.erased); count != want {
		t.Errorf("%d side records, want %d", count, want)
	}
	report, err := verify.Check(t.Context(), log, verify.Options{})
	if err != nil || !report.Clean() {
		t.Errorf("verify: %+v, %v", report, err)
	}
}

// compactOnce and openOnce are what is killed.
func compactOnce(dir string) error {
	dieAt(os.Getenv(envFailpoint))
	_, err := boltlog.Compact(context.Background(), dir)
	return err
}

func openOnce(dir string) error {
	dieAt(os.Getenv(envFailpoint))
	log, err := boltlog.Open(dir, boltlog.Options{SegmentSize: registerSegment})
	if err != nil {
		return err
	}
	return log.Close()
}

// dies runs a process that shall die at a place, and tells whether it did.
func dies(t *testing.T, role, dir, place string) bool {
	t.Helper()
	cmd := child(t, role, dir)
	cmd.Env = append(cmd.Env, envFailpoint+"="+place)
	_, killed := runBusy(t, cmd)
	return killed
}

// copied copies a folder, names of one file included.
func copied(t *testing.T, dir string) string {
	t.Helper()
	to := t.TempDir()
	if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	forgetOwner(t, to)
	old, live := filepath.Join(to, "log.db.discarded"), filepath.Join(to, "log.db")
	if sameFile(t, dir, "log.db.discarded", "log.db") {
		if err := errors.Join(os.Remove(old), os.Link(live, old)); err != nil {
			t.Fatal(err)
		}
	}
	return to
}

func sameFile(t *testing.T, dir, one, other string) bool {
	t.Helper()
	a, err := os.Stat(filepath.Join(dir, one))
	if errors.Is(err, os.ErrNotExist) {
		return false
	}
	b, errB := os.Stat(filepath.Join(dir, other))
	if err := errors.Join(err, errB); err != nil {
		t.Fatal(err)
	}
	return os.SameFile(a, b)
}

// compactPlaces are the places that only a compaction comes to, or its repair.
var compactPlaces = []string{
	failpoint.CompactFilled, failpoint.CompactLinked, failpoint.CompactDecided, failpoint.CompactReplaced,
	failpoint.ShredZeroed, failpoint.FinishBefore,
}

// A compaction that is killed at any place leaves a log that is read as it was,
// also while it is not repaired; so does one whose repair is killed at any place;
// and whatever the compaction has left is gone when the log was open again.
func TestKillCompact(t *testing.T) {
	r := newRegister()
	template := t.TempDir()
	r.keep(t, template)
	if holds(t, template, "canary-") == nil {
		t.Fatal("nothing is left of what was erased even before: this test shows nothing")
	}
	places := append([]string{failpoint.BackupFilled, failpoint.CreateLinked, failpoint.ShredZeroed + ":2"}, compactPlaces...)
	for _, place := range places {
		t.Run(place, func(t *testing.T) {
			t.Parallel()
			dir := copied(t, template)
			role := "compact"
			if place == failpoint.FinishBefore {
				dies(t, role, dir, failpoint.CompactDecided+":1")
				role = "open"
			}
			if !strings.Contains(place, ":") {
				place += ":1"
			}
			if !dies(t, role, dir, place) {
				t.Fatal("the process never came there")
			}
			r.want(t, copied(t, dir), true)
			for n := 1; ; n++ {
				again := copied(t, dir)
				killed := dies(t, "open", again, fmt.Sprint(anyPlace, ":", n))
				r.want(t, again, true)
				r.want(t, again, false)
				wantNothingLeft(t, again)
				if !killed {
					break
				}
				if !torture && n == 2 {
					n += len(place) % 7 // some other place for each
				}
			}
			compact(t, dir)
			r.want(t, dir, false)
			wantNothingLeft(t, dir)
			if files := holds(t, dir, "canary-"); files != nil {
				t.Errorf("what was erased is still in %v", files)
			}
		})
	}
}

func compact(t *testing.T, dir string) {
	t.Helper()
	defer noForks()()
	if _, err := boltlog.Compact(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
}

// wantNothingLeft fails where a compaction has left a file of its own.
func wantNothingLeft(t *testing.T, dir string) {
	t.Helper()
	for _, pattern := range []string{"*compacted*", "*discarded*"} {
		if left, err := filepath.Glob(filepath.Join(dir, pattern)); err != nil || left != nil {
			t.Errorf("left in the folder: %v, %v", left, err)
		}
	}
}
