package broker

import "math/rand/v2"

// news is what a device is to hear of its person's contacts: what there is, and
// how far the present link has been told.
type news struct {
	roster
	epoch    uint64
	told     uint64   // the highest number that the present link was told
	pending  []change // what it is to be told, in order
	withheld bool     // there is more, which is not pending
	noted    bool     // that something was cut has been logged
}

// maxPending is how many changes wait for a link, before they are gathered anew
// without those that later ones have overtaken.
const maxPending = 256

// restart begins anew, with a new conversation.
func (n *news) restart() { *n = news{epoch: rand.Uint64()} }

// rest lets go of what a link that is gone was to be told.
func (n *news) rest() { n.pending, n.withheld = nil, false }

// begin has a new link told what a device does not know that has heard up to
// number heard of that epoch.
func (n *news) begin(epoch, heard uint64) {
	if epoch != n.epoch || heard > n.last {
		heard = 0
	}
	if heard >= n.whole && heard < n.forgot {
		n.renumber()
	}
	n.told = heard
	n.gather()
}

// gather finds what the link is to be told.
func (n *news) gather() { n.pending, n.withheld = n.since(n.told), false }

// push has the link told of the event that was taken last.
func (n *news) push(e UpstreamEvent) {
	if n.withheld {
		return
	}
	switch e := e.(type) {
	case PresenceChanged:
		n.pending = append(n.pending, change{n.last, e.Contact})
	case RosterChanged:
		n.pending = append(n.pending, change{n.last, e.Contact.Address})
	default:
		n.gather()
	}
	if len(n.pending) > maxPending+2*len(n.contacts) {
		n.gather()
	}
}

// next gives the next news for the link.
func (n *news) next() (s State, ok bool) {
	for !ok && len(n.pending) > 0 {
		ch := n.pending[0]
		if n.pending = n.pending[1:]; len(n.pending) == 0 {
			n.pending = nil // an idle session keeps no buffer
		}
		n.told = ch.number
		s.Number = ch.number
		s.Body, ok = n.say(ch)
	}
	return s, ok
}
