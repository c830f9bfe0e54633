package broker

// maxInFlight is how many letters may be with a device unacknowledged.
const maxInFlight = 128

// maxFresh is how many letters are kept at hand, so that a link that is only a
// little behind need not read them from the inbox.
const maxFresh = 16

// pageSize is how many letters are read from the inbox at a time.
const pageSize = 32

// maxClaimed is the highest number that a device is believed to have: there is room
// for later ones.
const maxClaimed = 1 << 62

// outbox counts how far the letters of a mailbox have come. What they say is in
// the inbox.
type outbox struct {
	acked uint64 // every number up to this one is safe with the device
	sent  uint64 // the highest number that was handed to the latest link
	last  uint64 // the highest number in the mailbox
	fresh []Item // the latest letters, as they came
	page  []Kept // the next letters, from the inbox
}

// take begins with a mailbox as it stands: first is the first number that waits
// in it, zero if none does, and received what the device says is safe. A device
// that has more than the mailbox ever held knows one that was lost.
func (o *outbox) take(m Mailbox, first, received uint64) {
	received = min(received, maxClaimed)
	last := max(m.Last, received)
	acked := last
	if first > 0 {
		acked = max(first-1, received)
	}
	*o = outbox{acked: acked, sent: acked, last: last}
}

// note keeps the latest letter at hand, if it follows what was sent or is at hand
// already.
func (o *outbox) note(i Item) {
	before := o.sent
	if n := len(o.fresh); n > 0 {
		before = o.fresh[n-1].Number
	}
	if i.Number == before+1 && len(o.fresh) < maxFresh {
		o.fresh = append(o.fresh, i)
	}
}

// due tells that a letter may be sent now.
func (o *outbox) due() bool { return o.sent < o.last && o.sent-o.acked < maxInFlight }

// next gives the next item to send, if it is due and at hand.
func (o *outbox) next(open func(Kept) any) (i Item, ok bool) {
	if !o.due() {
		return i, false
	}
	if i, ok = o.nextFresh(); !ok {
		i, ok = o.nextKept(open)
	}
	if ok {
		o.sent = i.Number
	}
	if o.sent == o.last {
		o.rest() // an idle session keeps no buffer
	}
	return i, ok
}

func (o *outbox) nextFresh() (Item, bool) {
	for len(o.fresh) > 0 && o.fresh[0].Number <= o.sent {
		o.fresh = o.fresh[1:]
	}
	if len(o.fresh) == 0 || o.fresh[0].Number != o.sent+1 {
		return Item{}, false
	}
	i := o.fresh[0]
	o.fresh = o.fresh[1:]
	return i, true
}

// nextKept gives a letter as it waits, or a note of those that are missing in
// front of the next one.
func (o *outbox) nextKept(open func(Kept) any) (Item, bool) {
	for len(o.page) > 0 && o.page[0].Number <= o.sent {
		o.page = o.page[1:]
	}
	if len(o.page) == 0 {
		return Item{}, false
	}
	k := o.page[0]
	missing := k.Number - o.sent - 1
	switch {
	case k.Dropped > 0:
		return Item{Number: k.Number, Body: Dropped{Count: missing + 1}}, true
	case missing > 0:
		return Item{Number: k.Number - 1, Body: Dropped{Count: missing}}, true
	}
	return Item{Number: k.Number, Body: open(k)}, true
}

// turn takes the letters that were read behind what was sent. Where there are
// none, those that should be are told to be missing.
func (o *outbox) turn(page []Kept) {
	if len(page) == 0 && o.due() {
		page = []Kept{{Number: o.last, Dropped: o.last - o.sent}}
	}
	o.page = page
}

// ack takes an acknowledgement. A number that was never sent is taken as the last
// one that was; false if it tells nothing new.
func (o *outbox) ack(number uint64) bool {
	number = min(number, o.sent)
	if number <= o.acked {
		return false
	}
	o.acked = number
	return true
}

// rest lets go of what is at hand, while there is no link.
func (o *outbox) rest() { o.fresh, o.page = nil, nil }

// rewind begins again on a new link behind what the device says is safe.
func (o *outbox) rewind(received uint64) {
	o.acked = max(o.acked, min(received, o.last))
	o.sent = o.acked
	o.rest()
}
