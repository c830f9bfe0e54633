package delivery_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"rollcall/adapters/internal/delivery"
	"rollcall/domain/broker"
)

type queue struct {
	worker  delivery.Worker
	waiting []broker.UpstreamEvent
}

func (q *queue) Next() broker.UpstreamEvent {
	if len(q.waiting) == 0 {
		return nil
	}
	e := q.waiting[0]
	q.waiting = q.waiting[1:]
	return e
}

func (q *queue) put(sink broker.Sink, bodies ...string) {
	q.worker.Lock()
	defer q.worker.Unlock()
	for _, body := range bodies {
		q.waiting = append(q.waiting, broker.MessageReceived{Body: body})
		q.worker.Start(sink, q)
	}
}

// sink takes an event when it is let.
type sink struct {
	let  chan struct{}
	t    *testing.T
	seq  uint64
	text string
}

func (s *sink) Deliver(seq uint64, e broker.UpstreamEvent) {
	<-s.let
	if s.seq++; seq != s.seq {
		s.t.Errorf("event %d has the number %d", s.seq, seq)
	}
	s.text += e.(broker.MessageReceived).Body
}

func TestInOrderAcrossPauses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &sink{t: t, let: make(chan struct{})}
		close(s.let)
		var q queue
		for _, bodies := range [][]string{{"a", "b"}, {"c"}, {"d", "e", "f"}} {
			q.put(s, bodies...)
			if err := q.worker.Wait(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if s.text != "abcdef" {
			t.Errorf("the sink got %q, want abcdef", s.text)
		}
	})
}

func TestWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &sink{t: t, let: make(chan struct{})}
		var q queue
		if err := q.worker.Wait(t.Context()); err != nil {
			t.Errorf("Wait without an event = %v", err)
		}
		q.put(s, "a")
		given, cancel := context.WithCancel(t.Context())
		cancel()
		if err := q.worker.Wait(given); !errors.Is(err, context.Canceled) {
			t.Errorf("Wait with the sink busy = %v, want the context's error", err)
		}
		waited := make(chan error, 2)
		for range 2 {
			go func() { waited <- q.worker.Wait(t.Context()) }()
		}
		synctest.Wait()
		if len(waited) != 0 {
			t.Fatal("Wait returned while the sink was busy")
		}
		close(s.let)
		for range 2 {
			if err := <-waited; err != nil {
				t.Errorf("Wait = %v", err)
			}
		}
	})
}
