package broker

import (
	"cmp"
	"slices"
	"strings"
)

// What is kept of one session's roster at most. A roster that is bigger is cut,
// which is said in the log.
const (
	maxContacts    = 5000
	maxContactText = 1024 // bytes, of an address, a name, a group, a presence
	maxGroups      = 32
	keptDepartures = 64
)

// roster is what upstream said last of a person's contacts, each with the number
// of its latest change: so a device that comes back hears what it has missed,
// and no more.
type roster struct {
	last     uint64    // the number of the latest change
	whole    uint64    // the number of the RosterReceived that all begins with; zero: none yet
	contacts []contact // by ascending address
	gone     []departure
	forgot   uint64 // the number of the latest departure that is not in gone any more
	cut      bool   // something did not fit
}

// contact is somebody in the roster, or whose presence was told.
type contact struct {
	address string
	name    string
	groups  *[]string // nil where there are none
	text    string
	entry   uint64 // the number of the latest change of the roster's entry; zero: none
	mood    uint64 // and of the presence; zero: nothing was told of it
	show    Show
}

// departure is a contact that was removed, or, where it was never in the roster,
// went offline.
type departure struct {
	address string
	number  uint64
	listed  bool
}

func (c *contact) contact() Contact {
	v := Contact{Address: c.address, Name: c.name}
	if c.groups != nil {
		v.Groups = *c.groups
	}
	return v
}

// take takes in a roster, a change of it, or a presence; false if it says nothing
// new.
func (r *roster) take(e UpstreamEvent) bool {
	before := r.last
	switch e := e.(type) {
	case RosterReceived:
		r.receive(e.Contacts)
	case RosterChanged:
		if e.Removed {
			r.remove(e.Contact.Address)
		} else {
			r.enter(e.Contact)
		}
	case PresenceChanged:
		r.feel(e)
	}
	return r.last > before
}

func (r *roster) number() uint64 {
	r.last++
	return r.last
}

func (r *roster) search(address string) (int, bool) {
	return slices.BinarySearchFunc(r.contacts, address, func(c contact, a string) int { return strings.Compare(c.address, a) })
}

// find gives a contact, or nil.
func (r *roster) find(address string) *contact {
	if at, ok := r.search(address); ok {
		return &r.contacts[at]
	}
	return nil
}

// at gives the contact of that address, which is made if there is none; nil where
// it does not fit.
func (r *roster) at(address string) *contact {
	at, ok := r.search(address)
	if !ok {
		if len(r.contacts) >= maxContacts || len(address) > maxContactText {
			r.cut = true
			return nil
		}
		r.contacts = slices.Insert(r.contacts, at, contact{address: address})
	}
	return &r.contacts[at]
}

// receive puts a whole roster in the place of all that was known.
func (r *roster) receive(contacts []Contact) {
	r.contacts, r.gone, r.forgot = make([]contact, 0, min(len(contacts), maxContacts)), nil, 0
	for _, c := range contacts {
		if len(r.contacts) >= maxContacts || len(c.Address) > maxContactText {
			r.cut = true
			continue
		}
		v := contact{address: c.Address, entry: r.last + 1}
		v.set(c)
		r.contacts = append(r.contacts, v)
	}
	slices.SortStableFunc(r.contacts, func(a, b contact) int { return strings.Compare(a.address, b.address) })
	r.contacts = slices.CompactFunc(r.contacts, func(a, b contact) bool { return a.address == b.address })
	r.renumber()
}

// set takes what a roster's entry says, as far as it fits.
func (c *contact) set(entry Contact) {
	c.name, c.groups = clip(entry.Name), nil
	if len(entry.Groups) > 0 {
		groups := make([]string, min(len(entry.Groups), maxGroups))
		for i := range groups {
			groups[i] = clip(entry.Groups[i])
		}
		c.groups = &groups
	}
}

// clip cuts a text that is longer than anybody needs.
func clip(text string) string {
	if len(text) <= maxContactText {
		return text
	}
	return strings.Clone(strings.ToValidUTF8(text[:maxContactText], ""))
}

// renumber gives the roster, and every presence that is not offline, a new number, as if all were new: a device that hears it all, or is
// cut off at any point, then knows what the numbers say it does.
func (r *roster) renumber() {
	r.whole = r.number()
	r.gone, r.forgot = nil, 0
	for i := range r.contacts {
		c := &r.contacts[i]
		if c.entry != 0 {
			c.entry = r.whole
		}
		c.mood = 0
		if c.show != 0 && c.show != ShowOffline {
			c.mood = r.number()
		}
	}
}

func (r *roster) enter(entry Contact) {
	c := r.at(entry.Address)
	if c == nil {
		return
	}
	before := *c
	c.set(entry)
	if c.entry == 0 || c.name != before.name || !sameGroups(c.groups, before.groups) {
		c.entry = r.number()
	}
}

func sameGroups(a, b *[]string) bool {
	if a == nil || b == nil {
		return a == b
	}
	return slices.Equal(*a, *b)
}

func (r *roster) feel(p PresenceChanged) {
	c := r.find(p.Contact)
	if p.Show == ShowOffline && (c == nil || c.show == 0) {
		return
	}
	if c == nil {
		c = r.at(p.Contact)
	}
	text := clip(p.Text)
	if c == nil || c.show == p.Show && c.text == text {
		return
	}
	c.show, c.text = p.Show, text
	if p.Show == ShowOffline && c.entry == 0 {
		r.remove(c.address)
		return
	}
	c.mood = r.number()
}

// remove forgets a contact, and remembers for a while that it did.
func (r *roster) remove(address string) {
	at, ok := r.search(address)
	if !ok {
		return
	}
	d := departure{address: r.contacts[at].address, number: r.number(), listed: r.contacts[at].entry != 0}
	r.contacts = slices.Delete(r.contacts, at, at+1)
	r.gone = append(r.gone, d)
	if len(r.gone) > keptDepartures {
		r.forgot = r.gone[0].number
		r.gone = slices.Delete(r.gone, 0, 1)
	}
}

// change names one change of a roster.
type change struct {
	number  uint64
	address string
}

// since gives the changes behind told, as far as they still hold, in ascending
// order.
func (r *roster) since(told uint64) (changes []change) {
	if r.whole > told {
		changes = append(changes, change{number: r.whole})
	}
	for i := range r.contacts {
		c := &r.contacts[i]
		if c.entry > told && c.entry != r.whole {
			changes = append(changes, change{c.entry, c.address})
		}
		if c.mood > told {
			changes = append(changes, change{c.mood, c.address})
		}
	}
	for _, d := range r.gone {
		if d.number > told {
			changes = append(changes, change{d.number, d.address})
		}
	}
	slices.SortFunc(changes, func(a, b change) int { return cmp.Compare(a.number, b.number) })
	return changes
}

// say gives what a device is told of a change; false where a later one holds.
func (r *roster) say(ch change) (body any, ok bool) {
	if ch.number == r.whole {
		return r.received(), true
	}
	if c := r.find(ch.address); c != nil {
		switch ch.number {
		case c.entry:
			return RosterChanged{Contact: c.contact()}, true
		case c.mood:
			return PresenceChanged{Contact: c.address, Show: c.show, Text: c.text}, true
		}
	}
	at, ok := slices.BinarySearchFunc(r.gone, ch.number, func(d departure, n uint64) int { return cmp.Compare(d.number, n) })
	switch {
	case !ok:
		return nil, false
	case r.gone[at].listed:
		return RosterChanged{Contact: Contact{Address: ch.address}, Removed: true}, true
	}
	return PresenceChanged{Contact: ch.address, Show: ShowOffline}, true
}

// received gives the roster with which all begins, as far as it has not changed.
func (r *roster) received() RosterReceived {
	var all RosterReceived
	for i := range r.contacts {
		if c := &r.contacts[i]; c.entry == r.whole {
			all.Contacts = append(all.Contacts, c.contact())
		}
	}
	return all
}
