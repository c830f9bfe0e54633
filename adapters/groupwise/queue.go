package groupwise

import (
	"context"
	"sync"

	"rollcall/adapters/internal/delivery"
	"rollcall/domain/broker"
)

// How many events wait for the sink before the server is not read any further:
// soon, unless somebody waits for an answer from it.
const (
	softLimit = 64
	hardLimit = 4096
)

// queue holds what is on its way to the sink. A goroutine works it off while
// there is something in it, and only then.
type queue struct {
	sink broker.Sink

	worker  delivery.Worker // its lock guards what follows
	room    sync.Cond
	waiting []broker.UpstreamEvent
	hurried int  // how many wait for an answer of the server
	blocked bool // the reader waits for room
	open    bool // the sink may be called
	over    bool // nothing more is put in
}

func (q *queue) init(sink broker.Sink) {
	q.sink = sink
	q.room.L = &q.worker
}

// put adds an event at the end, unless the queue is over.
func (q *queue) put(e broker.UpstreamEvent) {
	q.worker.Lock()
	defer q.worker.Unlock()
	q.add(e)
}

// finish adds the last event.
func (q *queue) finish(e broker.Closed) {
	q.worker.Lock()
	defer q.worker.Unlock()
	q.add(e)
	q.over = true
	q.room.Broadcast()
}

func (q *queue) add(e broker.UpstreamEvent) {
	if q.over {
		return
	}
	q.waiting = append(q.waiting, e)
	q.start()
}

// begin lets the sink be called.
func (q *queue) begin() {
	q.worker.Lock()
	defer q.worker.Unlock()
	q.open = true
	q.start()
}

func (q *queue) start() {
	if q.open && len(q.waiting) > 0 {
		q.worker.Start(q.sink, q)
	}
}

// Next implements [delivery.Queue].
func (q *queue) Next() broker.UpstreamEvent {
	if len(q.waiting) == 0 {
		q.waiting = nil
		return nil
	}
	e := q.waiting[0]
	q.waiting = q.waiting[1:]
	q.room.Broadcast()
	return e
}

// awaitRoom returns when there is room for what the reader may find next.
func (q *queue) awaitRoom() {
	q.worker.Lock()
	defer q.worker.Unlock()
	for !q.over && q.open && (len(q.waiting) >= hardLimit || len(q.waiting) >= softLimit && q.hurried == 0) {
		q.blocked = true
		q.room.Wait()
	}
	q.blocked = false
}

// isBlocked tells whether the reader waits for the sink.
func (q *queue) isBlocked() bool {
	q.worker.Lock()
	defer q.worker.Unlock()
	return q.blocked
}

// hurry counts those who wait for an answer.
func (q *queue) hurry(n int) {
	q.worker.Lock()
	defer q.worker.Unlock()
	q.hurried += n
	q.room.Broadcast()
}

// stop waits until the sink is left alone, or ctx is done.
func (q *queue) stop(ctx context.Context) error {
	q.drop()
	return q.worker.Wait(ctx)
}

// drop empties the queue for good.
func (q *queue) drop() {
	q.worker.Lock()
	defer q.worker.Unlock()
	q.over = true
	q.waiting = nil
	q.room.Broadcast()
}
