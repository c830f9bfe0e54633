package local

import (
	"context"

	"rollcall/adapters/internal/delivery"
	"rollcall/domain/broker"
)

// What one conversation's queue holds at most. News that replaces older news of
// the same contact is not counted: there is one of it for each contact.
const (
	maxQueued      = 1024    // messages
	maxQueuedBytes = 1 << 20 // of their text
)

// queue holds what is on its way to one sink. A goroutine works it off while
// there is something in it, and only then; so a sink that blocks holds up nobody
// but its own queue. The zero queue with a sink is ready for use.
type queue struct {
	sink broker.Sink

	worker   delivery.Worker        // its lock guards what follows
	waiting  []broker.UpstreamEvent // nil where newer news stands further back
	latest   map[news]int           // where the latest news stands, counted from base
	base     int                    // how many have left the front of waiting
	unsafe   []handed               // by ascending number
	messages int
	bytes    int
	over     bool // nothing more is put in
}

// news names what an event is the latest news of.
type news struct {
	contact string
	kind    uint8
}

const (
	newsPresence = iota + 1
	newsContact
)

// newsOf gives what e is news of; ok is false for what must not be replaced.
func newsOf(e broker.UpstreamEvent) (n news, ok bool) {
	switch e := e.(type) {
	case broker.PresenceChanged:
		return news{e.Contact, newsPresence}, true
	case broker.RosterChanged:
		return news{e.Contact.Address, newsContact}, true
	}
	return news{}, false
}

// hasRoom tells whether a message of that length can be put in.
func (q *queue) hasRoom(length int) bool {
	q.worker.Lock()
	defer q.worker.Unlock()
	return !q.over && q.messages < maxQueued && q.bytes+length <= maxQueuedBytes
}

// put adds an event at the end, unless the queue is over.
func (q *queue) put(e broker.UpstreamEvent) {
	q.worker.Lock()
	defer q.worker.Unlock()
	if l, ok := e.(letter); ok && q.over {
		l.receipt.settle(false)
	}
	q.add(e)
}

// finish adds the last event.
func (q *queue) finish(e broker.Closed) {
	q.worker.Lock()
	defer q.worker.Unlock()
	q.add(e)
	q.over = true
}

func (q *queue) add(e broker.UpstreamEvent) {
	if q.over {
		return
	}
	if l, ok := e.(letter); ok {
		q.messages++
		q.bytes += len(l.Body)
	} else if n, ok := newsOf(e); ok {
		q.replace(n)
	}
	q.waiting = append(q.waiting, e)
	q.worker.Start((*offer)(q), q)
}

// replace takes older news of the same out of the queue.
func (q *queue) replace(n news) {
	if q.latest == nil {
		q.latest = make(map[news]int)
	}
	if at, ok := q.latest[n]; ok {
		q.waiting[at-q.base] = nil
	}
	q.latest[n] = q.base + len(q.waiting)
}

// Next implements [delivery.Queue].
func (q *queue) Next() broker.UpstreamEvent {
	for len(q.waiting) > 0 {
		e := q.waiting[0]
		q.waiting[0] = nil
		q.waiting = q.waiting[1:]
		q.base++
		if e != nil {
			return q.taken(e)
		}
	}
	q.waiting, q.latest, q.base = nil, nil, 0
	return nil
}

// taken notes that an event leaves the queue.
func (q *queue) taken(e broker.UpstreamEvent) broker.UpstreamEvent {
	if l, ok := e.(letter); ok {
		q.messages--
		q.bytes -= len(l.Body)
		q.unsafe = append(q.unsafe, handed{q.worker.Number(), l.receipt})
		return e
	}
	if n, ok := newsOf(e); ok {
		delete(q.latest, n)
	}
	return e
}

// offer hands on what leaves a queue: messages so that a sink without room for them
// can refuse them, if it can at all.
type offer queue

// Deliver implements [broker.Sink].
func (o *offer) Deliver(seq uint64, e broker.UpstreamEvent) {
	l, ok := e.(letter)
	if !ok {
		o.sink.Deliver(seq, e)
		return
	}
	refuser, ok := o.sink.(broker.Refuser)
	if !ok {
		o.sink.Deliver(seq, l.MessageReceived)
		return
	}
	if refuser.Offer(seq, l.MessageReceived) != nil {
		(*queue)(o).refused(seq)
	}
}

// refused settles the message with that number, for which there was no room. It is
// the last that was handed out.
func (q *queue) refused(seq uint64) {
	q.worker.Lock()
	defer q.worker.Unlock()
	if n := len(q.unsafe); n > 0 && q.unsafe[n-1].seq == seq {
		q.unsafe[n-1].receipt.refuse()
		q.unsafe = q.unsafe[:n-1]
	}
}

// acknowledge settles what the sink has been given up to seq.
func (q *queue) acknowledge(seq uint64) {
	q.worker.Lock()
	defer q.worker.Unlock()
	for len(q.unsafe) > 0 && q.unsafe[0].seq <= seq {
		q.unsafe[0].receipt.settle(true)
		q.unsafe = q.unsafe[1:]
	}
	if len(q.unsafe) == 0 {
		q.unsafe = nil
	}
}

// stop drops what is in the queue and waits until the sink is left alone, or ctx
// is done. What the sink has not acknowledged then never will be.
func (q *queue) stop(ctx context.Context) error {
	q.drop()
	if err := q.worker.Wait(ctx); err != nil {
		return err
	}
	q.worker.Lock()
	defer q.worker.Unlock()
	for _, h := range q.unsafe {
		h.receipt.settle(false)
	}
	q.unsafe = nil
	return nil
}

// drop empties the queue for good.
func (q *queue) drop() {
	q.worker.Lock()
	defer q.worker.Unlock()
	q.over = true
	for _, e := range q.waiting {
		if l, ok := e.(letter); ok {
			l.receipt.settle(false)
		}
	}
	q.waiting, q.latest, q.base = nil, nil, 0
}
