package broker

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// contactsKnown is what a device, or upstream, knows of somebody's contacts.
type contactsKnown struct {
	roster map[string]Contact
	show   map[string]Show
}

func newKnown() contactsKnown {
	return contactsKnown{roster: map[string]Contact{}, show: map[string]Show{}}
}

// take follows the rules of [State].
func (k *contactsKnown) take(body any) {
	switch b := body.(type) {
	case RosterReceived:
		*k = newKnown()
		for _, c := range b.Contacts {
			k.roster[c.Address] = c
		}
	case RosterChanged:
		if b.Removed {
			delete(k.roster, b.Contact.Address)
			delete(k.show, b.Contact.Address)
		} else {
			k.roster[b.Contact.Address] = b.Contact
		}
	case PresenceChanged:
		k.show[b.Contact] = b.Show
		if b.Show == ShowOffline {
			delete(k.show, b.Contact)
		}
	}
}

// hearer is a device that hears news, loses its link, and comes back.
type hearer struct {
	contactsKnown
	epoch, number uint64
	linked        bool
}

// come does what a resume does.
func (h *hearer) come(n *news) {
	n.rest()
	n.begin(h.epoch, h.number)
	if h.epoch != n.epoch {
		h.epoch, h.number = n.epoch, 0
	}
	h.linked = true
}

// hear takes up to limit of the news that there is.
func (h *hearer) hear(t *rapid.T, n *news, limit int) {
	for range limit {
		s, ok := n.next()
		if !ok {
			return
		}
		if s.Number <= h.number {
			t.Fatalf("state %d follows %d", s.Number, h.number)
		}
		h.number = s.Number
		h.take(s.Body)
	}
}

func drawContact(t *rapid.T) Contact {
	c := Contact{Address: fmt.Sprint("c", rapid.IntRange(0, 9).Draw(t, "contact")), Name: rapid.SampledFrom([]string{"", "a", "b"}).Draw(t, "name")}
	if rapid.Bool().Draw(t, "grouped") {
		c.Groups = []string{"friends"}
	}
	return c
}

func drawRoster(t *rapid.T) RosterReceived {
	contacts := rapid.SliceOfNDistinct(rapid.Custom(drawContact), 0, 8, func(c Contact) string { return c.Address }).Draw(t, "roster")
	return RosterReceived{Contacts: contacts}
}

func drawNews(t *rapid.T) UpstreamEvent {
	c := drawContact(t)
	switch rapid.IntRange(0, 9).Draw(t, "news") {
	case 0, 1:
		return RosterChanged{Contact: c}
	case 2, 3:
		return RosterChanged{Contact: c, Removed: true}
	case 4:
		return drawRoster(t)
	}
	return PresenceChanged{Contact: c.Address, Show: Show(rapid.IntRange(1, 5).Draw(t, "show"))}
}

// TestDeviceKnowsWhatUpstreamSaidLast draws histories of news, lost links, dormant
// devices and new conversations; after each the device comes back and hears it all.
func TestDeviceKnowsWhatUpstreamSaidLast(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var n news
		var device hearer
		upstream := newKnown()
		device.contactsKnown = newKnown()
		begin := func() { // a conversation: its roster comes first
			n.restart()
			e := drawRoster(t)
			upstream.take(e)
			n.take(e)
			device.linked = false
		}
		begin()
		dormant := false
		for range rapid.IntRange(0, 200).Draw(t, "length") {
			switch rapid.IntRange(0, 20).Draw(t, "what") {
			case 0:
				begin()
			case 1:
				device.linked = false
				n.rest()
			case 2:
				device.come(&n)
				dormant = false
			case 3:
				dormant = true
			case 4:
				if dormant = false; device.linked && n.withheld {
					n.gather()
				}
			case 5, 6, 7:
				if device.linked {
					device.hear(t, &n, rapid.IntRange(0, 6).Draw(t, "heard"))
				}
			default:
				e := drawNews(t)
				upstream.take(e)
				fresh := n.take(e)
				switch {
				case !fresh || !device.linked:
				case dormant:
					n.withheld = true
				default:
					n.push(e)
				}
			}
		}
		if !device.linked || rapid.Bool().Draw(t, "resumes") {
			device.come(&n)
		} else if n.withheld {
			n.gather()
		}
		device.hear(t, &n, 1000)
		if diff := cmp.Diff(upstream.roster, device.roster); diff != "" {
			t.Fatalf("roster (-upstream +device):\n%s", diff)
		}
		if diff := cmp.Diff(upstream.show, device.show); diff != "" {
			t.Fatalf("presence (-upstream +device):\n%s", diff)
		}
	})
}

func TestRosterTellsOnlyWhatChanged(t *testing.T) {
	var n news
	n.restart()
	n.take(RosterReceived{Contacts: []Contact{{Address: "a"}, {Address: "b"}}})
	n.take(PresenceChanged{Contact: "a", Show: ShowAway})
	heard := n.last
	for _, e := range []UpstreamEvent{
		PresenceChanged{Contact: "a", Show: ShowAway}, // as it is
		RosterChanged{Contact: Contact{Address: "b"}}, // as it is
		PresenceChanged{Contact: "b", Show: ShowBusy}, // overtaken
		PresenceChanged{Contact: "b", Show: ShowAvailable},
	} {
		n.take(e)
	}
	n.begin(n.epoch, heard)
	var got []any
	for s, ok := n.next(); ok; s, ok = n.next() {
		got = append(got, s.Body)
	}
	if diff := cmp.Diff([]any{PresenceChanged{Contact: "b", Show: ShowAvailable}}, got); diff != "" {
		t.Error(diff)
	}
}

// TestRosterForgetsOldDepartures has more contacts leave than are remembered: the
// device hears the whole roster.
func TestRosterForgetsOldDepartures(t *testing.T) {
	var n news
	n.restart()
	n.take(RosterReceived{})
	for i := range 2 * keptDepartures {
		n.take(RosterChanged{Contact: Contact{Address: fmt.Sprint(i)}})
	}
	heard := n.last
	for i := range 2*keptDepartures - 1 {
		n.take(RosterChanged{Contact: Contact{Address: fmt.Sprint(i)}, Removed: true})
	}
	n.begin(n.epoch, heard)
	s, ok := n.next()
	want := State{Number: n.whole, Body: RosterReceived{Contacts: []Contact{{Address: fmt.Sprint(2*keptDepartures - 1)}}}}
	if diff := cmp.Diff(want, s); !ok || diff != "" || len(n.pending) != 0 {
		t.Errorf("the first news (-want +got):\n%s\nand %d more, want none", diff, len(n.pending))
	}
}

func TestRosterIsBounded(t *testing.T) {
	var r roster
	contacts := make([]Contact, maxContacts+10)
	for i := range contacts {
		contacts[i].Address = fmt.Sprintf("%05d", i)
	}
	r.take(RosterReceived{Contacts: contacts})
	r.take(PresenceChanged{Contact: "one more", Show: ShowAway})
	long := string(slices.Repeat([]byte("ä"), maxContactText))
	r.take(PresenceChanged{Contact: "00000", Show: ShowAway, Text: long})
	if len(r.contacts) != maxContacts || !r.cut {
		t.Errorf("%d contacts are kept, and it is noted: %v; want %d", len(r.contacts), r.cut, maxContacts)
	}
	if got := len(r.find("00000").text); got > maxContactText {
		t.Errorf("a text of %d bytes is kept, want at most %d", got, maxContactText)
	}
}

// TestNewsForASlowLinkIsBounded has contacts change over and over while nobody
// hears it.
func TestNewsForASlowLinkIsBounded(t *testing.T) {
	var n news
	n.restart()
	n.take(RosterReceived{Contacts: []Contact{{Address: "a"}}})
	n.begin(n.epoch, 0)
	for i := range 100_000 {
		e := PresenceChanged{Contact: "a", Show: Show(2 + i%3)}
		n.take(e)
		n.push(e)
	}
	if got := len(n.pending); got > maxPending+2 {
		t.Errorf("%d changes wait, want at most %d", got, maxPending+2)
	}
}
