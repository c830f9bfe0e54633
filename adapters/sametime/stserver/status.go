package stserver

import (
	"slices"
	"strings"

	"rollcall/adapters/sametime/wire"
)

func (c *client) setStatus(m wire.Message) {
	c.who.status = m.(*wire.SetUserStatus).Status
	c.who.status.Time = 0
	for _, own := range c.who.clients {
		own.send(&wire.SetUserStatus{Status: c.who.status})
	}
	c.who.changed()
}

func (c *client) setPrivacy(m wire.Message) {
	c.who.privacy = m.(*wire.SetPrivacyList).Privacy
	for _, own := range c.who.clients {
		own.send(&wire.SetPrivacyList{Privacy: c.who.privacy})
	}
}

// sense tells at once that a service is there, if it is.
func (c *client) sense(m wire.Message) {
	service := m.(*wire.SenseService).Service
	if services[service] != nil && !c.s.faults.missing(service) {
		c.send(&wire.SenseService{Service: service})
	}
}

// announce passes a text on to the users among its recipients.
func (c *client) announce(m wire.Message) {
	a := *m.(*wire.Announce)
	a.Sender = &c.info
	for _, name := range a.Recipients {
		id, isUser := strings.CutPrefix(name, "@U ")
		if p := c.s.people[id]; isUser && p != nil {
			for _, to := range p.clients {
				to.send(&a)
			}
		}
	}
}

// entry is the person's presence under the name by which somebody asked for it.
func (p *person) entry(as wire.AwareID) wire.AwareEntry {
	e := wire.AwareEntry{ID: as}
	if len(p.clients) > 0 && p.status.Status != wire.StatusOffline {
		e.Online, e.Alternate, e.Status, e.Name = true, p.UserID, p.status, p.Display
	}
	return e
}

// changed tells everybody who watches.
func (p *person) changed() {
	for watcher, names := range p.watchers {
		channel, there := watcher.awareness()
		for _, name := range names {
			if there {
				watcher.sendService(channel, &wire.AwareUpdate{Entry: p.entry(name)})
			}
		}
	}
}

// awareness gives the client's channel for presence.
func (c *client) awareness() (uint32, bool) {
	for id, ch := range c.channels {
		if ch.service == wire.ServiceAwareness {
			return id, true
		}
	}
	return 0, false
}

func (c *client) aware(channel uint32, m wire.ServiceMessage) {
	switch m := m.(type) {
	case *wire.AwareAdd:
		c.watch(channel, m.IDs)
	case *wire.AwareRemove:
		for _, id := range m.IDs {
			if p := c.s.people[id.ID]; p != nil {
				p.watchers[c] = slices.DeleteFunc(p.watchers[c], func(other wire.AwareID) bool { return other == id })
			}
		}
	}
}

func (c *client) watch(channel uint32, ids []wire.AwareID) {
	answer := &wire.AwareSnapshot{}
	for _, id := range ids {
		e := wire.AwareEntry{ID: id}
		if p := c.s.people[id.ID]; p != nil && id.Kind == wire.AwareUser {
			if !slices.Contains(p.watchers[c], id) {
				p.watchers[c] = append(p.watchers[c], id)
			}
			e = p.entry(id)
		}
		answer.Entries = append(answer.Entries, e)
	}
	if len(ids) > 0 {
		c.sendService(channel, answer)
	}
}
