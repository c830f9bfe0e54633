package feed_test

import (
	"context"
	"errors"
	"iter"
	"strconv"
	"testing"
	"testing/synctest"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/google/go-cmp/cmp"

	"rollcall/domain"
	"rollcall/eventstore"
	"rollcall/eventstore/feed"
	"rollcall/eventstore/logtest"
)

func subscribeBatched(t *testing.T, log feed.Log, from eventstore.Position, topic string, most int) (*feed.Subscriber, <-chan *message.Message) {
	t.Helper()
	s := feed.NewBatched(log, from, most)
	messages, err := s.Subscribe(t.Context(), topic)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s, messages
}

// next acknowledges a message and gives its records.
func next(t *testing.T, messages <-chan *message.Message) []eventstore.Record {
	t.Helper()
	m := <-messages
	records, err := feed.Records(m)
	if err != nil {
		t.Fatal(err)
	}
	m.Ack()
	return records
}

// Messages hold what there is, as many as they may, and wait for nothing.
func TestBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := filled(t, 12)
		_, messages := subscribeBatched(t, log, 2, feed.Everything, 5)
		for _, want := range [][2]eventstore.Position{{2, 6}, {7, 11}, {12, 12}} {
			got := next(t, messages)
			if diff := cmp.Diff(logtest.Records(want[0], int(want[1]-want[0])+1), got); diff != "" {
				t.Errorf("message (-want +got):\n%s", diff)
			}
		}
		synctest.Wait()
		logtest.Fill(t, log, 3, 3)
		if got := next(t, messages); len(got) != 3 || got[0].Position != 13 {
			t.Errorf("live message of %d records from %d, want 3 from 13", len(got), got[0].Position)
		}
	})
}

func TestBatchMessage(t *testing.T) {
	log := filled(t, 4)
	_, messages := subscribeBatched(t, log, 2, feed.Everything, 3)
	m := <-messages
	if want := log.ID().UUID(2).String(); m.UUID != want {
		t.Errorf("UUID = %s, want %s", m.UUID, want)
	}
	want := message.Metadata{"position": "2", "last": "4", "time": "2026-01-02T03:04:05.010Z"}
	if diff := cmp.Diff(want, m.Metadata); diff != "" {
		t.Errorf("metadata (-want +got):\n%s", diff)
	}
	var bad *feed.PayloadError
	if _, err := feed.Record(m); !errors.As(err, &bad) {
		t.Errorf("Record of a message of three = %v, want a PayloadError", err)
	}
}

// A batch that is refused comes again, the same, before anything behind it.
func TestRefusedBatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, messages := subscribeBatched(t, filled(t, 6), 1, feed.Everything, 4)
		first := <-messages
		first.Nack()
		again := <-messages
		if !first.Equals(again) {
			t.Errorf("delivered again: %v, want %v", again, first)
		}
		again.Ack()
		if got := next(t, messages); got[0].Position != 5 {
			t.Errorf("the next message begins at %d, want 5", got[0].Position)
		}
	})
}

// The records of one message follow one another, whatever the topic leaves out.
func TestBatchesOfOneType(t *testing.T) {
	const n = 12
	_, messages := subscribeBatched(t, filled(t, n), 1, domain.TypeLoginAdmitted.String(), 5)
	for _, want := range logtest.Records(1, n) {
		if want.Event.Type() != domain.TypeLoginAdmitted {
			continue
		}
		m := <-messages
		records, err := feed.Records(m)
		if err != nil || len(records) != 1 || records[0].Position != want.Position || m.Metadata[feed.MetadataLast] != strconv.Itoa(int(want.Position)) {
			t.Errorf("message %v holds %v, %v; want position %d", m.Metadata, records, err, want.Position)
		}
		m.Ack()
	}
}

// What was read in front of an error of the log is delivered in front of the end.
func TestBatchBeforeAnError(t *testing.T) {
	log := filled(t, 7)
	s, messages := subscribeBatched(t, failing{log}, 1, feed.Everything, 100)
	var got []eventstore.Record
	for m := range messages {
		records, err := feed.Records(m)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, records...)
		m.Ack()
	}
	if len(got) != 4 || !errors.Is(s.Err(), errFailing) {
		t.Errorf("%d records and then %v, want 4 and %v", len(got), s.Err(), errFailing)
	}
}

var errFailing = errors.New("the disk is gone")

// failing is a log that can be followed up to its fourth record.
type failing struct{ feed.Log }

func (l failing) Follow(ctx context.Context, from eventstore.Position) iter.Seq2[eventstore.Record, error] {
	return func(yield func(eventstore.Record, error) bool) {
		for r, err := range l.Log.Follow(ctx, from) {
			if r.Position == 5 {
				yield(eventstore.Record{}, errFailing)
				return
			}
			if !yield(r, err) {
				return
			}
		}
	}
}
