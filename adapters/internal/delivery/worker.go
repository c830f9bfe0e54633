package delivery

import (
	"context"
	"sync"

	"rollcall/domain/broker"
)

// Queue is where a Worker finds events.
type Queue interface {
	// Next takes the next event out; nil if there is none. The Worker's lock is
	// held.
	Next() broker.UpstreamEvent
}

// Worker hands events to a sink, one after the other and numbered from 1. Its lock
// guards the queue as well. The zero Worker is ready for use.
type Worker struct {
	sync.Mutex

	seq     uint64
	working bool          // the goroutine is there
	idle    chan struct{} // closed when it has gone; made by whoever waits for that
}

// Start sees to it that the goroutine is there. The lock is held.
func (w *Worker) Start(sink broker.Sink, q Queue) {
	if !w.working {
		w.working = true
		go w.work(sink, q)
	}
}

// Number gives the number of the event that is taken out next; within
// [Queue.Next], of the one that Next gives. The lock is held.
func (w *Worker) Number() uint64 { return w.seq + 1 }

func (w *Worker) work(sink broker.Sink, q Queue) {
	for {
		e, seq := w.take(q)
		if e == nil {
			return
		}
		sink.Deliver(seq, e)
	}
}

// take gives the next event; nil if there is none, and the goroutine is then no
// longer there.
func (w *Worker) take(q Queue) (broker.UpstreamEvent, uint64) {
	w.Lock()
	defer w.Unlock()
	if e := q.Next(); e != nil {
		w.seq++
		return e, w.seq
	}
	w.working = false
	if w.idle != nil {
		close(w.idle)
		w.idle = nil
	}
	return nil, 0
}

// Wait returns when the sink is left alone, or with the error of ctx. With a queue
// that is not empty for good, that may take long. The lock is not held.
func (w *Worker) Wait(ctx context.Context) error {
	idle := w.gone()
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

// gone gives what closes when the goroutine has gone; nil if it is not there.
func (w *Worker) gone() <-chan struct{} {
	w.Lock()
	defer w.Unlock()
	if w.working && w.idle == nil {
		w.idle = make(chan struct{})
	}
	return w.idle
}
