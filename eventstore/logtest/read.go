package logtest

import (
	"context"
	"errors"
	"reflect"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/eventstore"
)

func testReadFrom(t *testing.T, log eventstore.Log) {
	Fill(t, log, 20, 3)
	for from := range eventstore.Position(23) {
		first := max(from, 1)
		var want []eventstore.Record
		if first <= 20 {
			want = Records(first, int(21-first))
		}
		if diff := cmp.Diff(want, collect(t, log, from)); diff != "" {
			t.Errorf("Read(%d) (-want +got):\n%s", from, diff)
		}
	}
	for r := range log.Read(t.Context(), 7) { // breaking off harms nobody
		if r.Position != 7 {
			t.Errorf("Read(7) begins at %d", r.Position)
		}
		break
	}
}

// Read gives what there was when it began. Appending meanwhile neither blocks nor
// shows.
func testReadEnds(t *testing.T, log eventstore.Log) {
	Fill(t, log, 10, 2)
	count := 0
	for r, err := range log.Read(t.Context(), 1) {
		if err != nil {
			t.Fatal(err)
		}
		count++
		if r.Position%2 == 1 {
			Fill(t, log, 3, 3)
		}
	}
	if count != 10 {
		t.Errorf("Read gives %d records, want the 10 there were", count)
	}
	wantRecords(t, log, Records(1, 25))
}

// A reader never sees a part of a batch.
func testWholeBatches(t *testing.T, log eventstore.Log) {
	const batches, size = 60, 7
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			for n := 0; n < batches*size; {
				n = len(collect(t, log, 1))
				if n%size != 0 {
					t.Errorf("Read gives %d records, not whole batches of %d", n, size)
					return
				}
				if last := log.Last(); last%size != 0 {
					t.Errorf("Last() = %d, not whole batches of %d", last, size)
					return
				}
			}
		})
	}
	Fill(t, log, batches*size, size)
	wg.Wait()
}

// Every follower gets every record once and in order, wherever and whenever it
// begins.
func testFollow(t *testing.T, log eventstore.Log) {
	const total = 600
	var wg sync.WaitGroup
	defer wg.Wait()
	for from := eventstore.Position(0); from < total; from += 40 {
		for log.Last() < from/2 { // some begin in the past, some in the future
			Fill(t, log, 5, 5)
		}
		wg.Go(func() {
			want := max(from, 1)
			for r, err := range log.Follow(t.Context(), from) {
				if err != nil || r.Position != want {
					t.Errorf("Follow(%d) gives position %d, %v; want %d", from, r.Position, err, want)
					return
				}
				if !reflect.DeepEqual(Records(want, 1)[0], r) {
					t.Errorf("Follow(%d) gives %v, want %v", from, r, Records(want, 1)[0])
				}
				if want++; want > total {
					return
				}
			}
		})
	}
	for i := 0; log.Last() < total; i++ {
		Fill(t, log, min(1+i%7, int(total-log.Last())), 7)
	}
}

func testFollowAhead(t *testing.T, log eventstore.Log) {
	Fill(t, log, 2, 2)
	got := make(chan eventstore.Position)
	go func() {
		for r, err := range log.Follow(t.Context(), 9) {
			if err == nil {
				got <- r.Position
			}
			return
		}
	}()
	Fill(t, log, 10, 3)
	if p := <-got; p != 9 {
		t.Errorf("Follow(9) begins at %d", p)
	}
}

func testFollowEnds(t *testing.T, log eventstore.Log) {
	Fill(t, log, 3, 3)
	follow := func(ctx context.Context, atEnd func()) (n int, err error) {
		for r, e := range log.Follow(ctx, 1) {
			if e != nil {
				return n, e
			}
			if n++; r.Position == 3 {
				atEnd()
			}
		}
		return n, nil
	}
	ctx, cancel := context.WithCancel(t.Context())
	if n, err := follow(ctx, cancel); n != 3 || !errors.Is(err, context.Canceled) {
		t.Errorf("Follow until cancelled = %d records, %v; want 3, %v", n, err, context.Canceled)
	}
	n, err := follow(t.Context(), func() { go log.Close() })
	if n != 3 || !errors.Is(err, eventstore.ErrClosed) {
		t.Errorf("Follow until closed = %d records, %v; want 3, %v", n, err, eventstore.ErrClosed)
	}
}

func testClose(t *testing.T, log eventstore.Log) {
	Fill(t, log, 3, 3)
	for range 2 {
		if err := log.Close(); err != nil {
			t.Errorf("Close() = %v", err)
		}
	}
	check := func(what string, err error) {
		t.Helper()
		if !errors.Is(err, eventstore.ErrClosed) {
			t.Errorf("%s after Close = %v, want %v", what, err, eventstore.ErrClosed)
		}
	}
	_, err := log.Append(t.Context(), 3, eventstore.Batch{Records: Records(4, 1)})
	check("Append", err)
	_, _, err = log.Side(t.Context(), eventstore.SideKey{Position: 1, Kind: 1})
	check("Side", err)
	for name, records := range map[string]func(func(eventstore.Record, error) bool){
		"Read":   log.Read(t.Context(), 1),
		"Follow": log.Follow(t.Context(), 1),
	} {
		err = nil
		for _, err = range records {
			break
		}
		check(name, err)
	}
	err = nil
	for _, err = range log.Sides(t.Context()) {
		break
	}
	check("Sides", err)
}
