package xmpp_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"rollcall/domain/broker"
)

// sink keeps what it is given and lets a test wait for it.
type sink struct {
	mu      sync.Mutex
	events  []broker.UpstreamEvent
	changed chan struct{}
}

func newSink() *sink { return &sink{changed: make(chan struct{})} }

func (s *sink) Deliver(_ uint64, e broker.UpstreamEvent) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.events = append(s.events, e)
	close(s.changed)
	s.changed = make(chan struct{})
}

func (s *sink) snapshot() ([]broker.UpstreamEvent, chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.events), s.changed
}

// await waits for an event of which match is true. The wait is long enough for
// any timer of a conversation: in a synctest bubble it costs nothing.
func await[E broker.UpstreamEvent](t *testing.T, s *sink, match func(E) bool) E {
	t.Helper()
	late := time.NewTimer(patience)
	defer late.Stop()
	for {
		events, changed := s.snapshot()
		for _, e := range events {
			if e, ok := e.(E); ok && match(e) {
				return e
			}
		}
		select {
		case <-changed:
		case <-late.C:
			t.Fatalf("waited for %s; got %s", fmt.Sprintf("%T", *new(E)), fmt.Sprintf("%+v", events))
		}
	}
}

const patience = 10 * time.Minute

func anyEvent[E broker.UpstreamEvent](E) bool { return true }
