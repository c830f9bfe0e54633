package feed_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"go.uber.org/goleak"

	"rollcall/domain"
	"rollcall/eventstore"
	"rollcall/eventstore/feed"
	"rollcall/eventstore/logtest"
	"rollcall/eventstore/memlog"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// filled gives a log with n records.
func filled(t testing.TB, n int) *memlog.Log {
	t.Helper()
	log := memlog.NewWithID(domain.LogID(uuid.MustParse("6f1c2a52-6d3e-4b1a-9d0e-0a6f5f6c7d81")))
	logtest.Fill(t, log, n, 5)
	return log
}

func subscribe(t testing.TB, log feed.Log, from eventstore.Position, topic string) (*feed.Subscriber, <-chan *message.Message) {
	t.Helper()
	s := feed.New(log, from)
	messages, err := s.Subscribe(t.Context(), topic)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s, messages
}

// take receives and acknowledges n messages and gives their records.
func take(t testing.TB, messages <-chan *message.Message, n int) (records []eventstore.Record) {
	t.Helper()
	for range n {
		m, ok := <-messages
		if !ok {
			t.Fatalf("the channel closed after %d of %d messages", len(records), n)
		}
		r, err := feed.Record(m)
		if err != nil {
			t.Fatal(err)
		}
		records = append(records, r)
		m.Ack()
	}
	return records
}

func TestMessage(t *testing.T) {
	log := filled(t, 2)
	_, messages := subscribe(t, log, 2, feed.Everything)
	m := <-messages
	m.Ack()
	if want := log.ID().UUID(2).String(); m.UUID != want {
		t.Errorf("UUID = %s, want %s", m.UUID, want)
	}
	want := message.Metadata{"position": "2", "type": "login-admitted", "time": "2026-01-02T03:04:05.010Z"}
	if diff := cmp.Diff(want, m.Metadata); diff != "" {
		t.Errorf("metadata (-want +got):\n%s", diff)
	}
}

func TestFromAnyPosition(t *testing.T) {
	log := filled(t, 12)
	for _, from := range []eventstore.Position{0, 1, 7, 12} {
		_, messages := subscribe(t, log, from, feed.Everything)
		want := logtest.Records(max(from, 1), int(13-max(from, 1)))
		if diff := cmp.Diff(want, take(t, messages, len(want))); diff != "" {
			t.Errorf("from %d (-want +got):\n%s", from, diff)
		}
	}
}

func TestTopicOfOneType(t *testing.T) {
	log := filled(t, 12)
	_, messages := subscribe(t, log, 1, "login-accepted")
	for i, r := range take(t, messages, 3) {
		if want := eventstore.Position(4*i + 3); r.Position != want || r.Event.Type() != domain.TypeLoginAccepted {
			t.Errorf("message %d is %v at %d, want login-accepted at %d", i, r.Event.Type(), r.Position, want)
		}
	}
}

func TestUnknownTopic(t *testing.T) {
	s := feed.New(filled(t, 0), 1)
	defer s.Close()
	if _, err := s.Subscribe(t.Context(), "logins"); !errors.Is(err, feed.ErrUnknownTopic) {
		t.Errorf("Subscribe = %v, want %v", err, feed.ErrUnknownTopic)
	}
}

// A message that is refused comes again, later each time, and nothing overtakes
// it.
func TestNack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, messages := subscribe(t, filled(t, 2), 1, feed.Everything)
		defer s.Close()
		began := time.Now()
		var pauses []time.Duration
		for range 10 {
			m := <-messages
			if p := m.Metadata.Get(feed.MetadataPosition); p != "1" {
				t.Fatalf("position %s comes in front of 1", p)
			}
			pauses = append(pauses, time.Since(began))
			began = time.Now()
			m.Nack()
		}
		const ms = time.Millisecond
		want := []time.Duration{0, 10 * ms, 20 * ms, 40 * ms, 80 * ms, 160 * ms, 320 * ms, 640 * ms, 1000 * ms, 1000 * ms}
		if diff := cmp.Diff(want, pauses); diff != "" {
			t.Errorf("pauses (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(logtest.Records(1, 2), take(t, messages, 2)); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	})
}

// Nothing more comes before the message at hand is acknowledged.
func TestOneAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, messages := subscribe(t, filled(t, 2), 1, feed.Everything)
		defer s.Close()
		first := <-messages
		synctest.Wait()
		select {
		case m := <-messages:
			t.Errorf("position %s comes before position 1 is acknowledged", m.Metadata.Get(feed.MetadataPosition))
		default:
		}
		first.Ack()
		take(t, messages, 1)
	})
}

func TestLive(t *testing.T) {
	log := filled(t, 3)
	_, messages := subscribe(t, log, 1, feed.Everything)
	const total = 500
	done := make(chan []eventstore.Record)
	go func() { done <- take(t, messages, total) }()
	logtest.Fill(t, log, total-3, 7)
	if diff := cmp.Diff(logtest.Records(1, total), <-done); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestEnds(t *testing.T) {
	closed := func(t *testing.T, messages <-chan *message.Message) {
		t.Helper()
		if m, ok := <-messages; ok {
			t.Errorf("position %s comes after the end", m.Metadata.Get(feed.MetadataPosition))
		}
	}
	t.Run("by close, a message unanswered", func(t *testing.T) {
		s, messages := subscribe(t, filled(t, 2), 1, feed.Everything)
		m := <-messages
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		<-m.Context().Done()
		closed(t, messages)
		if err := s.Err(); err != nil {
			t.Errorf("Err() = %v", err)
		}
		if _, err := s.Subscribe(t.Context(), feed.Everything); !errors.Is(err, feed.ErrClosed) {
			t.Errorf("Subscribe after Close = %v, want %v", err, feed.ErrClosed)
		}
	})
	t.Run("by the context, nobody receiving", func(t *testing.T) {
		s := feed.New(filled(t, 2), 1)
		defer s.Close()
		ctx, cancel := context.WithCancel(t.Context())
		messages, err := s.Subscribe(ctx, feed.Everything)
		if err != nil {
			t.Fatal(err)
		}
		take(t, messages, 2)
		cancel()
		closed(t, messages)
		if err := s.Err(); err != nil {
			t.Errorf("Err() = %v", err)
		}
	})
	t.Run("with the log", func(t *testing.T) {
		log := filled(t, 2)
		s, messages := subscribe(t, log, 1, feed.Everything)
		take(t, messages, 2)
		log.Close()
		closed(t, messages)
		if err := s.Err(); !errors.Is(err, eventstore.ErrClosed) {
			t.Errorf("Err() = %v, want %v", err, eventstore.ErrClosed)
		}
	})
}

func TestRecordRefuses(t *testing.T) {
	for name, payload := range map[string]string{
		"nothing":      "",
		"text":         "hello",
		"no record":    "\x08\x07",
		"two records":  "\x08\x07\x1a\x03\x8a\x01\x00\x1a\x03\x8a\x01\x00",
		"unknown only": "\x08\x07\x1a\x03\xfa\x7f\x00",
	} {
		t.Run(name, func(t *testing.T) {
			r, err := feed.Record(message.NewMessage("m", []byte(payload)))
			if bad := (*feed.PayloadError)(nil); !errors.As(err, &bad) {
				t.Errorf("Record = %v, %v; want a PayloadError", r, err)
			}
		})
	}
}

func BenchmarkFeed(b *testing.B) {
	log := filled(b, 10_000)
	for b.Loop() {
		s := feed.New(log, 1)
		messages, err := s.Subscribe(b.Context(), feed.Everything)
		if err != nil {
			b.Fatal(err)
		}
		for range 10_000 {
			m := <-messages
			if _, err := feed.Record(m); err != nil {
				b.Fatal(err)
			}
			m.Ack()
		}
		s.Close()
	}
	b.ReportMetric(float64(b.N)*10_000/b.Elapsed().Seconds(), "records/s")
}
