package inbox

import (
	"context"
	"errors"
	"runtime"
	"time"

	"rollcall/domain/broker"
)

const (
	// A commit takes up to so many changes, and bytes, of what has gathered.
	maxGathered      = 1024
	maxGatheredBytes = 8 << 20

	// forgetWithin is how long what was forgotten may wait for a commit.
	forgetWithin = time.Second
)

// request is an op that somebody waits for.
type request struct {
	op   op
	err  error
	done chan struct{}
}

func (r *request) answer(err error) {
	r.err = err
	close(r.done)
}

// submit hands an op to the writer and waits until it is durable.
func (i *Inbox) submit(ctx context.Context, o op) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	r := &request{op: o, done: make(chan struct{})}
	if err := i.enqueue(r); err != nil {
		return err
	}
	<-r.done
	return r.err
}

func (i *Inbox) enqueue(r *request) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	if err := i.refusal(); err != nil {
		return err
	}
	i.queue = append(i.queue, r)
	i.wakeWriter()
	return nil
}

// refusal tells why nothing is taken. The caller holds mu.
func (i *Inbox) refusal() error {
	if i.closed {
		return ErrClosed
	}
	return i.failure
}

// wakeWriter tells the writer that there is work. The caller holds mu, and the
// inbox is not closed.
func (i *Inbox) wakeWriter() {
	select {
	case i.wake <- struct{}{}:
	default: // it has been told
	}
}

// Forget implements [broker.Inbox]. A number above the mailbox's last is taken for
// the last.
func (i *Inbox) Forget(id broker.MailboxID, number uint64) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.refusal() != nil {
		return
	}
	i.forgets[id] = max(i.forgets[id], number)
	i.startTimer()
}

// startTimer sees to it that what was forgotten is written. The caller holds mu.
func (i *Inbox) startTimer() {
	if i.timer == nil {
		i.restartTimer()
	}
}

func (i *Inbox) forgetsDue() {
	i.mu.Lock()
	defer i.mu.Unlock()
	if !i.closed {
		i.due = true
		i.wakeWriter()
	}
}

// forgotten gives up to which number a mailbox's letters have been forgotten and
// the database may not know.
func (i *Inbox) forgotten(id broker.MailboxID) uint64 {
	i.mu.Lock()
	defer i.mu.Unlock()
	return max(i.forgets[id], i.forgetting[id])
}

// writer writes until the inbox is closed: whatever has gathered while it wrote
// last, in one transaction.
func (i *Inbox) writer() {
	defer close(i.stopped)
	for range i.wake {
		for {
			runtime.Gosched() // who has just been answered may have more
			b, ok := i.gather(false)
			if !ok {
				break
			}
			i.write(b)
		}
	}
	for b, ok := i.gather(true); ok; b, ok = i.gather(true) {
		i.write(b)
	}
}

// batch is what goes into one transaction.
type batch struct {
	forgets  []*forget
	requests []*request
}

func (b batch) size() int { return len(b.forgets) + len(b.requests) }

// gather takes what is to be written next. What was forgotten comes along with
// other work, or where it is due. It stands in front: what it is about was put
// before.
func (i *Inbox) gather(all bool) (b batch, ok bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if len(i.queue) == 0 && !i.due && !all {
		return b, false
	}
	b.requests = i.takeRequests()
	for id, number := range i.forgets {
		if len(b.forgets) == maxGathered {
			break
		}
		b.forgets = append(b.forgets, &forget{id, number})
		i.forgetting[id] = number
		delete(i.forgets, id)
	}
	i.due = i.due && len(i.forgets) > 0
	if i.timer != nil && len(i.forgets) == 0 {
		i.timer.Stop()
		i.timer = nil
	}
	return b, b.size() > 0
}

// takeRequests takes requests from the queue. The caller holds mu.
func (i *Inbox) takeRequests() []*request {
	n, size := 0, 0
	for n < len(i.queue) && n < maxGathered && size < maxGatheredBytes {
		bytes, _ := i.queue[n].op.need()
		size += bytes
		n++
	}
	taken := i.queue[:n:n]
	if i.queue = i.queue[n:]; len(i.queue) == 0 {
		i.queue = nil
	}
	return taken
}

// write writes a batch and answers who waits for it.
func (i *Inbox) write(b batch) {
	// What readers skip is skipped until the database knows of it, and those who
	// wait are answered after that.
	errs := i.commitBatch(b)
	i.mu.Lock()
	clear(i.forgetting)
	for n, f := range b.forgets {
		i.notForgotten(f, errs[n])
	}
	for n, r := range b.requests {
		i.dropped(r.op, errs[len(b.forgets)+n])
	}
	i.mu.Unlock()
	for n, r := range b.requests {
		r.answer(errs[len(b.forgets)+n])
	}
}

// notForgotten sees to what could not be written for want of room: it is tried
// again later, while the inbox is open. The caller holds mu.
func (i *Inbox) notForgotten(f *forget, err error) {
	switch {
	case err == nil:
		return
	case i.closed:
		i.lost = err
	case errors.Is(err, broker.ErrInboxFull):
		i.forgets[f.id] = max(i.forgets[f.id], f.number)
		i.due = false
		i.restartTimer()
	}
}

// dropped forgets what was to be forgotten in a mailbox that is gone: the next one of
// that name counts anew, and nobody has it yet. The caller holds mu.
func (i *Inbox) dropped(o op, err error) {
	if d, is := o.(*drop); is && err == nil {
		delete(i.forgets, d.id)
	}
}

func (i *Inbox) restartTimer() {
	if i.timer != nil {
		i.timer.Stop()
	}
	i.timer = time.AfterFunc(forgetWithin, i.forgetsDue)
}
