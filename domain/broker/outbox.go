package broker

import "slices"

const (
	// maxInFlight is how many items may be with a device unacknowledged.
	maxInFlight = 128
	// maxWaiting is how many items wait for a device that is out of coverage
	// or slow, in number and in bytes of text.
	maxWaiting      = 1024
	maxWaitingBytes = 1 << 20
)

// outbox holds what a device shall see until it has acknowledged it. Items are
// numbered when they are first sent: those in flight keep their number for good,
// those that wait have none yet and may give way when there are too many.
type outbox struct {
	acked    uint64 // every number up to this one is safe with the device
	inFlight []parcel
	waiting  []parcel
	bytes    int    // of the waiting
	seen     uint64 // the latest upstream event that was added
}

// parcel is an item's body with the upstream event it came of; zero if it came
// of none.
type parcel struct {
	body any
	seq  uint64
}

// add takes the body of a new item.
func (o *outbox) add(body any, seq uint64) {
	o.seen = max(o.seen, seq)
	if p, ok := body.(PresenceChanged); ok {
		o.dropWaiting(func(q parcel) bool {
			old, isPresence := q.body.(PresenceChanged)
			return isPresence && old.Contact == p.Contact
		})
	}
	o.waiting = append(o.waiting, parcel{body, seq})
	o.bytes += size(body)
	for len(o.waiting) > maxWaiting || o.bytes > maxWaitingBytes && len(o.waiting) > 1 {
		o.makeRoom()
	}
}

// makeRoom gives up one waiting item, the oldest presence if there is one, and
// leaves a note of what else was lost.
func (o *outbox) makeRoom() {
	i := slices.IndexFunc(o.waiting, func(p parcel) bool { _, ok := p.body.(PresenceChanged); return ok })
	if i >= 0 {
		o.remove(i)
		return
	}
	note, isNote := o.waiting[0].body.(Dropped)
	if !isNote {
		note.Count++
		o.bytes -= size(o.waiting[0].body)
		o.waiting[0] = parcel{note, o.waiting[0].seq}
		return
	}
	note.Count++
	o.waiting[0].body = note
	o.remove(1)
}

func (o *outbox) remove(i int) {
	o.bytes -= size(o.waiting[i].body)
	o.waiting = slices.Delete(o.waiting, i, i+1)
}

// dropWaiting gives up the waiting items that match.
func (o *outbox) dropWaiting(match func(parcel) bool) {
	for i := slices.IndexFunc(o.waiting, match); i >= 0; i = slices.IndexFunc(o.waiting, match) {
		o.remove(i)
	}
}

// next numbers the first waiting item and gives it; false if none waits or too
// many are in flight.
func (o *outbox) next() (Item, bool) {
	if len(o.waiting) == 0 || len(o.inFlight) >= maxInFlight {
		return Item{}, false
	}
	p := o.waiting[0]
	o.remove(0)
	if len(o.waiting) == 0 {
		o.waiting = nil // an idle session keeps no buffer
	}
	o.inFlight = append(o.inFlight, p)
	return Item{Number: o.acked + uint64(len(o.inFlight)), Body: p.body}, true
}

// ack takes an acknowledgement and gives the upstream event up to which all is
// safe with the device. A number that was never sent is taken as the last one
// that was.
func (o *outbox) ack(number uint64) (safe uint64) {
	if number > o.acked {
		n := min(number-o.acked, uint64(len(o.inFlight)))
		o.inFlight = slices.Delete(o.inFlight, 0, int(n))
		o.acked += n
		if len(o.inFlight) == 0 {
			o.inFlight = nil
		}
	}
	return o.safe()
}

// safe gives the upstream event in front of the first that is still held.
func (o *outbox) safe() uint64 {
	for _, parcels := range [][]parcel{o.inFlight, o.waiting} {
		for _, p := range parcels {
			if p.seq != 0 {
				return p.seq - 1
			}
		}
	}
	return o.seen
}

// unacked gives the items in flight, to be sent again on a new link.
func (o *outbox) unacked() []Item {
	items := make([]Item, len(o.inFlight))
	for i, p := range o.inFlight {
		items[i] = Item{Number: o.acked + 1 + uint64(i), Body: p.body}
	}
	return items
}

// size gives about how many bytes of text a body holds.
func size(body any) int {
	switch b := body.(type) {
	case MessageReceived:
		return len(b.ID) + len(b.From) + len(b.Body)
	case PresenceChanged:
		return len(b.Contact) + len(b.Text)
	case RosterReceived:
		n := 0
		for _, c := range b.Contacts {
			n += contactSize(c)
		}
		return n
	case RosterChanged:
		return contactSize(b.Contact)
	case TypingChanged:
		return len(b.Contact)
	}
	return 0
}

func contactSize(c Contact) int {
	n := len(c.Address) + len(c.Name)
	for _, g := range c.Groups {
		n += len(g)
	}
	return n
}
