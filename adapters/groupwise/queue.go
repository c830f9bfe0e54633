package groupwise

import (
	"context"
	"sync"

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

	mu      sync.Mutex
	room    sync.Cond
	waiting []broker.UpstreamEvent
	seq     uint64
	hurried int  // how many wait for an answer of the server
	blocked bool // the reader waits for room
	open    bool // the sink may be called
	working bool // the goroutine is there
	over    bool // nothing more is put in
	idle    chan struct{}
}

func (q *queue) init(sink broker.Sink) {
	q.sink = sink
	q.room.L = &q.mu
}

// put adds an event at the end, unless the queue is over.
func (q *queue) put(e broker.UpstreamEvent) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.add(e)
}

// finish adds the last event.
func (q *queue) finish(e broker.Closed) {
	q.mu.Lock()
	defer q.mu.Unlock()
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
	q.mu.Lock()
	defer q.mu.Unlock()
	q.open = true
	q.start()
}

func (q *queue) start() {
	if q.open && !q.working && len(q.waiting) > 0 {
		q.working = true
		go q.work()
	}
}

// work hands one event after the other to the sink until there is none left.
func (q *queue) work() {
	for {
		e, seq := q.take()
		if e == nil {
			return
		}
		q.sink.Deliver(seq, e)
	}
}

// take gives the next event; nil if there is none, and the goroutine is then no
// longer there.
func (q *queue) take() (broker.UpstreamEvent, uint64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.waiting) == 0 {
		q.waiting, q.working = nil, false
		if q.idle != nil {
			close(q.idle)
			q.idle = nil
		}
		return nil, 0
	}
	e := q.waiting[0]
	q.waiting = q.waiting[1:]
	q.seq++
	q.room.Broadcast()
	return e, q.seq
}

// awaitRoom returns when there is room for what the reader may find next.
func (q *queue) awaitRoom() {
	q.mu.Lock()
	defer q.mu.Unlock()
	for !q.over && q.open && (len(q.waiting) >= hardLimit || len(q.waiting) >= softLimit && q.hurried == 0) {
		q.blocked = true
		q.room.Wait()
	}
	q.blocked = false
}

// isBlocked tells whether the reader waits for the sink.
func (q *queue) isBlocked() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.blocked
}

// hurry counts those who wait for an answer.
func (q *queue) hurry(n int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.hurried += n
	q.room.Broadcast()
}

// stop waits until the sink is left alone, or ctx is done.
func (q *queue) stop(ctx context.Context) error {
	idle := q.drop()
	if idle == nil {
		return nil
	}
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// drop empties the queue for good and gives what closes when the goroutine has
// gone; nil if it is not there.
func (q *queue) drop() <-chan struct{} {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.over = true
	q.waiting = nil
	q.room.Broadcast()
	if q.working && q.idle == nil {
		q.idle = make(chan struct{})
	}
	return q.idle
}
