package sametime

import (
	"context"

	"rollcall/adapters/internal/delivery"
	"rollcall/domain/broker"
)

// maxQueue is how many events may wait for the sink; maxQueueBytes how many bytes
// of text in them, where it is more than one.
const (
	maxQueue      = 256
	maxQueueBytes = 1 << 20
)

// queue hands events to a sink, in order, on a goroutine of its own that is there
// only while something waits.
type queue struct {
	sink broker.Sink
	// onFull is called, from the goroutine that puts, before it waits for room.
	onFull func()

	worker  delivery.Worker // its lock guards what follows
	events  []broker.UpstreamEvent
	bytes   int
	over    bool
	changed chan struct{} // closed and replaced when something has been taken
}

func newQueue(sink broker.Sink) *queue {
	return &queue{sink: sink, onFull: func() {}}
}

// put queues an event. It waits while there is no room.
func (q *queue) put(e broker.UpstreamEvent) {
	for !q.tryPut(e, false) {
		q.onFull()
		q.awaitRoom()
	}
}

// putLast queues the last event, whatever room there is.
func (q *queue) putLast(e broker.UpstreamEvent) { q.tryPut(e, true) }

func (q *queue) tryPut(e broker.UpstreamEvent, last bool) bool {
	q.worker.Lock()
	defer q.worker.Unlock()
	if q.over {
		return true // nobody wants it any more
	}
	if q.full() && !last {
		return false
	}
	q.events = append(q.events, e)
	q.bytes += size(e)
	q.worker.Start(q.sink, q)
	return true
}

// isFull tells whether put would wait.
func (q *queue) isFull() bool {
	q.worker.Lock()
	defer q.worker.Unlock()
	return q.full()
}

func (q *queue) full() bool {
	return len(q.events) >= maxQueue || q.bytes >= maxQueueBytes
}

// size gives how many bytes of text are in an event.
func size(e broker.UpstreamEvent) int {
	switch e := e.(type) {
	case broker.MessageReceived:
		return len(e.Body)
	case broker.PresenceChanged:
		return len(e.Text)
	}
	return 0
}

func (q *queue) awaitRoom() {
	for {
		q.worker.Lock()
		if q.over || !q.full() {
			q.worker.Unlock()
			return
		}
		changed := q.waiter()
		q.worker.Unlock()
		<-changed
	}
}

// waiter gives a channel that closes with the next change. The lock is held.
func (q *queue) waiter() <-chan struct{} {
	if q.changed == nil {
		q.changed = make(chan struct{})
	}
	return q.changed
}

func (q *queue) signal() {
	if q.changed != nil {
		close(q.changed)
		q.changed = nil
	}
}

// Next implements [delivery.Queue].
func (q *queue) Next() broker.UpstreamEvent {
	if q.over || len(q.events) == 0 {
		q.events = nil
		return nil
	}
	e := q.events[0]
	q.events[0] = nil
	q.events = q.events[1:]
	q.bytes -= size(e)
	q.signal()
	return e
}

// quit drops what waits and takes nothing more.
func (q *queue) quit() {
	q.worker.Lock()
	defer q.worker.Unlock()
	q.over = true
	q.signal()
}

// stop quits, and returns when the sink is not being called any more, or ctx ends.
func (q *queue) stop(ctx context.Context) error {
	q.quit()
	return q.worker.Wait(ctx)
}
