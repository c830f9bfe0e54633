package feed

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"rollcall/domain"
	"rollcall/eventstore"
)

// Everything is the topic of all events.
const Everything = "events"

var (
	// ErrClosed tells that the subscriber has been closed.
	ErrClosed = errors.New("the feed is closed")
	// ErrUnknownTopic tells that a topic is neither [Everything] nor an event
	// type.
	ErrUnknownTopic = errors.New("no such topic; use \"" + Everything + "\" or the name of an event type")
)

// Log is what a feed needs of an event log.
type Log interface {
	ID() domain.LogID
	Last() eventstore.Position
	Follow(ctx context.Context, from eventstore.Position) iter.Seq2[eventstore.Record, error]
}

// Subscriber is an event log as a Watermill subscriber. It is safe for concurrent
// use.
type Subscriber struct {
	log  Log
	from eventstore.Position
	most int // records in a message

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	feeds  sync.WaitGroup

	mu  sync.Mutex
	err error
}

var _ message.Subscriber = (*Subscriber)(nil)

// New gives a subscriber whose every subscription begins at position from: one
// behind the last that the consumer has dealt with.
func New(log Log, from eventstore.Position) *Subscriber { return NewBatched(log, from, 1) }

// NewBatched gives a subscriber as New does, whose messages hold up to most records
// each: what there is, and it waits for none. [Records] decodes them.
func NewBatched(log Log, from eventstore.Position, most int) *Subscriber {
	s := &Subscriber{log: log, from: from, most: max(most, 1)}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s
}

// Subscribe gives the messages of a topic, each when the one in front of it has
// been acknowledged. The channel is closed when ctx is done, on Close, and where
// the log gives an error, which Err then tells.
func (s *Subscriber) Subscribe(ctx context.Context, topic string) (<-chan *message.Message, error) {
	wanted, err := filter(topic)
	if err != nil {
		return nil, err
	}
	s.mu.Lock() // so that Close does not wait before this feed is counted
	defer s.mu.Unlock()
	if s.ctx.Err() != nil {
		return nil, ErrClosed
	}
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(s.ctx, cancel)
	out := make(chan *message.Message)
	s.feeds.Go(func() {
		defer close(out)
		defer cancel()
		defer stop()
		s.fail(ctx, s.feed(ctx, wanted, out))
	})
	return out, nil
}

// filter gives which event types a topic has.
func filter(topic string) (func(domain.EventType) bool, error) {
	if topic == Everything {
		return func(domain.EventType) bool { return true }, nil
	}
	for _, t := range domain.EventTypes() {
		if t.String() == topic {
			return func(other domain.EventType) bool { return other == t }, nil
		}
	}
	return nil, fmt.Errorf("subscribe to %q: %w", topic, ErrUnknownTopic)
}

// feed delivers until ctx is done or the log gives an error.
func (s *Subscriber) feed(ctx context.Context, wanted func(domain.EventType) bool, out chan<- *message.Message) error {
	var batch []eventstore.Record // one behind the other
	flush := func() error {
		if len(batch) == 0 {
			return nil
		}
		err := s.deliver(ctx, batch, out)
		batch = batch[:0]
		return err
	}
	for r, err := range s.log.Follow(ctx, s.from) {
		if err != nil {
			return errors.Join(flush(), err)
		}
		gathered := wanted(r.Event.Type())
		if gathered {
			batch = append(batch, r)
		}
		if !gathered || len(batch) == s.most || r.Position >= s.log.Last() {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	return nil
}

// A message that is refused comes again after a pause, twice as long each time.
const (
	pauseFirst = 10 * time.Millisecond
	pauseMost  = time.Second
)

// deliver sends records until they are acknowledged.
func (s *Subscriber) deliver(ctx context.Context, records []eventstore.Record, out chan<- *message.Message) error {
	for pause := pauseFirst; ; pause = min(2*pause, pauseMost) {
		acked, err := s.try(ctx, records, out)
		if acked || err != nil {
			return err
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// try sends records once and tells whether they were acknowledged.
func (s *Subscriber) try(ctx context.Context, records []eventstore.Record, out chan<- *message.Message) (acked bool, err error) {
	m, err := s.encode(records)
	if err != nil {
		return false, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	m.SetContext(ctx)
	select {
	case out <- m:
	case <-ctx.Done():
		return false, ctx.Err()
	}
	select {
	case <-m.Acked():
		return true, nil
	case <-m.Nacked():
		return false, nil
	case <-ctx.Done():
		return false, ctx.Err()
	}
}

// fail keeps the first error that is not the end of ctx.
func (s *Subscriber) fail(ctx context.Context, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil && ctx.Err() == nil {
		s.err = err
	}
}

// Err gives the log's first error that ended a subscription; nil if none did.
func (s *Subscriber) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// Close ends every subscription and waits until their channels are closed.
func (s *Subscriber) Close() error {
	s.mu.Lock()
	s.cancel()
	s.mu.Unlock()
	s.feeds.Wait()
	return nil
}
