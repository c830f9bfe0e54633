package verify_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"iter"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/domain"
	"rollcall/eventstore"
	"rollcall/eventstore/boltlog"
	"rollcall/eventstore/memlog"
	"rollcall/eventstore/verify"
)

// written puts a log of many batches into a file of its own.
func written(t *testing.T, records []domain.Record, sides []domain.Side) string {
	t.Helper()
	dir := t.TempDir()
	log, err := boltlog.Open(dir, boltlog.Options{})
	must(t, err)
	batches := slices.Collect(slices.Chunk(records, 7))
	for i, batch := range batches {
		b := domain.Batch{Records: batch}
		if i == len(batches)-1 {
			b.Sides = sides
		}
		_, err := log.Append(t.Context(), log.Last(), b)
		must(t, err)
	}
	file := filepath.Join(dir, "copy.db")
	must(t, log.Backup(t.Context(), file))
	must(t, log.Close())
	return file
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func manySides(last domain.Position) (sides []domain.Side) {
	for p := domain.Position(1); p < last; p += 3 {
		sides = append(sides, side(p, 77, "of a later version"))
	}
	return sides
}

func TestFileIsClean(t *testing.T) {
	log, err := boltlog.OpenFile(written(t, plain(), plainSides()))
	must(t, err)
	defer log.Close()
	if report := check(t, log); !report.Clean() {
		t.Errorf("findings: %v", report.Findings)
	}
}

// A link that is not right is found, and no record is lost to it.
func TestWrongLink(t *testing.T) {
	file := written(t, plain(), plainSides())
	whole, err := os.ReadFile(file)
	must(t, err)
	log, err := boltlog.OpenFile(file)
	must(t, err)
	sealed, ok := log.Sealed()
	must(t, log.Close())
	if !ok || !bytes.Contains(whole, sealed.Digest[:]) {
		t.Fatal("the file has no chain")
	}
	wrong := slices.Clone(sealed.Digest[:])
	wrong[0] ^= 1 // in pages that are free by now, too
	must(t, os.WriteFile(file, bytes.ReplaceAll(whole, sealed.Digest[:], wrong), 0o600))
	log, err = boltlog.OpenFile(file)
	must(t, err)
	defer log.Close()
	if diff := cmp.Diff([]string{"chain 1-15 *eventstore.ChainError"}, found(t, log)); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
}

// Wherever bits flip in a file, either it cannot be opened, and says why, or what
// is reported as lost is exactly what is missing.
func TestFlippedBits(t *testing.T) {
	records := longLog(400)
	sides := manySides(400)
	good, err := os.ReadFile(written(t, records, sides))
	must(t, err)
	dice := rand.New(rand.NewPCG(1, 2))
	file := filepath.Join(t.TempDir(), "bad.db")
	damaged := 0
	for range 300 {
		bad := slices.Clone(good)
		at := dice.IntN(len(bad))
		bad[at] ^= 1 << dice.IntN(8)
		must(t, os.WriteFile(file, bad, 0o600))
		log, err := boltlog.OpenDamaged(file)
		if err != nil {
			isTyped(t, at, err)
			continue
		}
		if !sameButLost(t, at, log, records, sides) {
			damaged++
		}
		must(t, log.Close())
	}
	if damaged < 20 {
		t.Errorf("only %d of the flips did any damage", damaged)
	}
}

func isTyped(t *testing.T, at int, err error) {
	t.Helper()
	var damage *eventstore.DamageError
	var format *eventstore.FormatError
	if !errors.As(err, &damage) && !errors.As(err, &format) {
		t.Errorf("a bit of byte %d: %v", at, err)
	}
}

// reader notes what a check could read.
type reader struct {
	*boltlog.Log
	got map[domain.Position]domain.Record
}

func (r reader) Read(ctx context.Context, from domain.Position) iter.Seq2[domain.Record, error] {
	return func(yield func(domain.Record, error) bool) {
		for rec, err := range r.Log.Read(ctx, from) {
			if err == nil {
				r.got[rec.Position] = rec
			}
			if !yield(rec, err) {
				return
			}
		}
	}
}

// sameButLost tells whether nothing is lost, and fails where the report is not
// right about that.
func sameButLost(t *testing.T, at int, log *boltlog.Log, records []domain.Record, sides []domain.Side) (whole bool) {
	t.Helper()
	watched := reader{log, make(map[domain.Position]domain.Record)}
	report := check(t, watched)
	lost := func(p domain.Position) bool {
		return slices.ContainsFunc(report.Findings, func(f verify.Finding) bool { return f.Kind == verify.Damage && f.From <= p && p <= f.To })
	}
	for _, r := range records {
		got, ok := watched.got[r.Position]
		if ok && !cmp.Equal(r, got) {
			t.Errorf("a bit of byte %d: position %d reads as %+v", at, r.Position, got)
		}
		if !ok && !lost(r.Position) {
			t.Errorf("a bit of byte %d: position %d is lost and not in the report", at, r.Position)
		}
	}
	whole = report.Events == uint64(len(records)) && report.Sides == uint64(len(sides))
	if !whole && report.Found[verify.Damage] == 0 {
		t.Errorf("a bit of byte %d: something is gone without a word", at)
	}
	return whole
}

func TestSalvage(t *testing.T) {
	records := append(plain(), longer(plain(), 10_000)...)
	log := newFaulty(records)
	log.sides = append(plainSides(), side(9000, domain.SideAddress, "x"))
	log.faults = block(8000, 8100, 0)
	report := check(t, log)

	dir := filepath.Join(t.TempDir(), "saved")
	id := memlog.New().ID()
	must(t, boltlog.Create(dir, id))
	if err := boltlog.Create(dir, id); !errors.Is(err, fs.ErrExist) {
		t.Errorf("Create again: %v, want ErrExist", err)
	}
	to, err := boltlog.Open(dir, boltlog.Options{})
	must(t, err)
	defer to.Close()
	done, err := report.Salvage(t.Context(), log, to)
	must(t, err)
	if done.Events != 7999 || done.Sides != 10 {
		t.Errorf("salvaged %+v, want 7999 events and 10 side records", done)
	}
	if to.ID() != id {
		t.Errorf("the id is %v, want %v", to.ID(), id)
	}
	again := check(t, to)
	if !again.Clean() || again.Last != 7999 || again.Sides != 10 {
		t.Errorf("the salvaged log: %+v", again)
	}
}

// longer gives records that go on behind others.
func longer(behind []domain.Record, n int) []domain.Record {
	last := behind[len(behind)-1]
	var more []domain.Record
	for i := range n {
		more = append(more, domain.Record{Position: last.Position + 1 + domain.Position(i), Time: last.Time, Event: &domain.BrokerStopped{}})
	}
	return more
}

// A log that is damaged within a decision is salvaged up to the one in front.
func TestSalvageEndsWithADecision(t *testing.T) {
	log := newFaulty(plain())
	log.faults = block(second+1, second+1, 0)
	to := keep(t, nil, nil)
	done, err := check(t, log).Salvage(t.Context(), log, to)
	must(t, err)
	if done.Events != second-1 {
		t.Errorf("salvaged %d events, want %d", done.Events, second-1)
	}
	if got := found(t, to); got != nil {
		t.Errorf("findings: %v", got)
	}
}

func TestSalvageNothing(t *testing.T) {
	log := newFaulty(plain())
	log.faults = block(1, plainEnd, 0)
	to := keep(t, nil, nil)
	done, err := check(t, log).Salvage(t.Context(), log, to)
	must(t, err)
	if done != (verify.Salvaged{}) || to.Last() != 0 {
		t.Errorf("salvaged %+v", done)
	}
}
