package xmpp

import (
	"fmt"
	"strconv"
	"strings"

	"rollcall/domain/broker"
)

// resource is how one of a contact's clients is.
type resource struct {
	name     string
	priority int
	show     broker.Show
	text     string
}

// presences hold what each contact's clients say, for those that are there.
type presences struct {
	byContact map[string][]resource
	count     int
}

// maxResources bounds how many clients of contacts are remembered.
const maxResources = 20_000

// set takes in what one client says.
func (p *presences) set(contact string, r resource) {
	p.remove(contact, r.name)
	if p.count == maxResources {
		return
	}
	if p.byContact == nil {
		p.byContact = make(map[string][]resource)
	}
	p.byContact[contact] = append(p.byContact[contact], r)
	p.count++
}

// remove forgets a client; all of the contact's where name is empty.
func (p *presences) remove(contact, name string) {
	var left []resource
	for _, r := range p.byContact[contact] {
		if name != "" && r.name != name {
			left = append(left, r)
		}
	}
	p.count -= len(p.byContact[contact]) - len(left)
	if len(left) == 0 {
		delete(p.byContact, contact)
		return
	}
	p.byContact[contact] = left
}

// of gives how a contact is as a whole: as the client with the highest priority
// says; among equals as the most available one does.
func (p *presences) of(contact string) broker.PresenceChanged {
	all := p.byContact[contact]
	if len(all) == 0 {
		return broker.PresenceChanged{Contact: contact, Show: broker.ShowOffline}
	}
	best := all[0]
	for _, r := range all[1:] {
		if r.priority > best.priority || r.priority == best.priority && availability[r.show] > availability[best.show] {
			best = r
		}
	}
	return broker.PresenceChanged{Contact: contact, Show: best.show, Text: best.text}
}

// availability orders the shows.
var availability = map[broker.Show]int{broker.ShowAvailable: 4, broker.ShowBusy: 3, broker.ShowAway: 2, broker.ShowIdle: 1}

// fromShow and toShow translate RFC 6121 section 4.7.2.1.
var (
	fromShow = map[string]broker.Show{"": broker.ShowAvailable, "chat": broker.ShowAvailable, "away": broker.ShowAway, "dnd": broker.ShowBusy, "xa": broker.ShowIdle}
	toShow   = map[broker.Show]string{broker.ShowAway: "away", broker.ShowBusy: "dnd", broker.ShowIdle: "xa"}
)

// handlePresence takes what a contact's client says. Wishes to subscribe are left
// to the person's other clients; the server keeps them.
func (c *Conversation) handlePresence(e *element) error {
	contact, name := splitAddress(e.attr("from"))
	if contact == "" || contact == c.bare {
		return nil
	}
	before := c.contacts.of(contact)
	switch e.attr("type") {
	case "":
		c.contacts.set(contact, readPresence(e, name))
	case "unavailable", "error":
		c.contacts.remove(contact, name)
	default:
		return nil
	}
	now := c.contacts.of(contact)
	if now.Show == broker.ShowOffline {
		now.Text = shorten(e.childText(nsClient, "status"))
	}
	if now != before {
		c.post(now)
	}
	return nil
}

func readPresence(e *element, name string) resource {
	show, known := fromShow[strings.TrimSpace(e.childText(nsClient, "show"))]
	if !known {
		show = broker.ShowAvailable
	}
	priority, _ := strconv.ParseInt(strings.TrimSpace(e.childText(nsClient, "priority")), 10, 8) // 0 where it is missing or wrong
	return resource{name: name, priority: int(priority), show: show, text: e.childText(nsClient, "status")}
}

func presenceStanza(p broker.OwnPresence) string {
	kind, show, status := "", "", ""
	if p.Show == broker.ShowOffline {
		kind = " type='unavailable'"
	}
	if s := toShow[p.Show]; s != "" {
		show = "<show>" + s + "</show>"
	}
	if p.Text != "" {
		status = "<status>" + escape(p.Text) + "</status>"
	}
	return fmt.Sprintf("<presence%s>%s%s</presence>", kind, show, status)
}
