package logtest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/domain"
	"rollcall/eventstore"
)

// start is the time of position 1 in [Records].
var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// Records gives n records from position first on, the same for the same position
// in every call: logins that are admitted, accepted and ended, ten milliseconds
// apart.
func Records(first eventstore.Position, n int) []eventstore.Record {
	records := make([]eventstore.Record, n)
	for i := range records {
		p := first + eventstore.Position(i)
		records[i] = eventstore.Record{
			Position: p,
			Time:     start.Add(time.Duration(p-1) * 10 * time.Millisecond),
			Event:    event(p),
		}
	}
	return records
}

// event gives the event at p: a login takes four positions.
func event(p eventstore.Position) domain.Event {
	session := domain.SessionID(p - (p-1)%4)
	switch (p - 1) % 4 {
	case 0:
		return &domain.LoginRequested{Device: 1, Service: 1, Account: 1}
	case 1:
		return &domain.LoginAdmitted{Session: session, Seats: uint32(p % 200), Limit: domain.Some[uint32](250)}
	case 2:
		return &domain.LoginAccepted{Session: session}
	default:
		return &domain.SessionEnded{Session: session, Cause: domain.EndLogout}
	}
}

// Fill appends n of [Records] to an empty or filled log, in batches of at most
// size.
func Fill(t testing.TB, log eventstore.Log, n, size int) {
	t.Helper()
	for n > 0 {
		last := log.Last()
		records := Records(last+1, min(n, size))
		if _, err := log.Append(t.Context(), last, eventstore.Batch{Records: records}); err != nil {
			t.Fatalf("Append behind %d: %v", last, err)
		}
		n -= len(records)
	}
}

// collect reads the whole of what a log gives from a position on.
func collect(t testing.TB, log eventstore.Log, from eventstore.Position) (records []eventstore.Record) {
	t.Helper()
	for r, err := range log.Read(t.Context(), from) {
		if err != nil {
			t.Fatalf("Read(%d): %v", from, err)
		}
		records = append(records, r)
	}
	return records
}

func collectSides(t testing.TB, log eventstore.Log) (sides []eventstore.Side) {
	t.Helper()
	for s, err := range log.Sides(t.Context()) {
		if err != nil {
			t.Fatalf("Sides: %v", err)
		}
		sides = append(sides, s)
	}
	return sides
}

// wantRecords fails unless the log holds exactly these records.
func wantRecords(t testing.TB, log eventstore.Log, want []eventstore.Record) {
	t.Helper()
	if diff := cmp.Diff(want, collect(t, log, 1)); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
	if got := log.Last(); got != eventstore.Position(len(want)) {
		t.Errorf("Last() = %d, want %d", got, len(want))
	}
}

func wantSides(t testing.TB, log eventstore.Log, want []eventstore.Side) {
	t.Helper()
	if diff := cmp.Diff(want, collectSides(t, log)); diff != "" {
		t.Errorf("side records (-want +got):\n%s", diff)
	}
}

func side(p eventstore.Position, kind domain.SideKind, value string) eventstore.Side {
	return eventstore.Side{SideKey: eventstore.SideKey{Position: p, Kind: kind}, Value: []byte(value)}
}
