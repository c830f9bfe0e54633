package sametime

import (
	"cmp"
	"time"

	"rollcall/adapters/sametime/wire"
	"rollcall/domain/broker"
)

// The bounds on conferences.
const (
	maxConferences = 16
	maxMembers     = 1000
)

// conferencePrefix begins the address under which a conference is a contact.
const conferencePrefix = "conference:"

// conferencesGroup is the group of the roster in which conferences stand.
const conferencesGroup = "Conferences"

// conference is a talk of several that we are in. To the person it is a contact.
type conference struct {
	name, title string
	members     map[uint16]*wire.LoginInfo
}

// invited goes to a conference, as far as the service is set to, and as far as there
// is room.
func (c *Conversation) invited(create *wire.ChannelCreate) error {
	var invitation wire.ConferenceInvitation
	if wire.Unmarshal(create.Data, &invitation) != nil || invitation.Name == "" {
		return c.refuse(create, wire.ProtocolError)
	}
	address := conferencePrefix + readable(invitation.Name)
	conf := &conference{name: address, title: cmp.Or(shorten(invitation.Title), "Conference"), members: make(map[uint16]*wire.LoginInfo)}
	c.say(invitation.Inviter.UserID, "(Invitation to the conference “"+conf.title+"”"+map[bool]string{true: ".)", false: ", which this service does not take part in.)"}[c.o.conferences])
	if !c.o.conferences || c.conferences() >= maxConferences || c.talk(address) != nil {
		return c.refuse(create, wire.NotAuthorized)
	}
	ch := &channel{id: create.Channel, service: create.Service, peer: address, opened: make(chan struct{}), open: true, usedAt: time.Now(), conference: conf}
	close(ch.opened)
	c.mu.Lock()
	c.channels[ch.id], c.talks[address] = ch, ch
	c.mu.Unlock()
	if err := c.write(&wire.ChannelAccept{Channel: ch.id, Service: ch.service, Protocol: create.Protocol}); err != nil {
		return err
	}
	if err := c.sendOn(ch, nil, &wire.ConferenceJoin{}); err != nil {
		return err
	}
	c.events.put(broker.RosterChanged{Contact: conf.contact()})
	if invitation.Text != "" {
		c.say(address, nameOf(&invitation.Inviter)+": "+invitation.Text)
	}
	return nil
}

func (conf *conference) contact() broker.Contact {
	return broker.Contact{Address: conf.name, Name: conf.title, Groups: []string{conferencesGroup}}
}

func (c *Conversation) conferences() (n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, ch := range c.channels {
		if ch.service == wire.ServiceConference {
			n++
		}
	}
	return n
}

func nameOf(i *wire.LoginInfo) string { return shorten(cmp.Or(i.Name, i.UserID)) }

// conferred delivers what is said in a conference, and keeps who is in it.
func (c *Conversation) conferred(ch *channel, m wire.ServiceMessage) error {
	conf := ch.conference
	switch m := m.(type) {
	case *wire.ConferenceWelcome:
		for _, member := range m.Members {
			conf.join(member)
		}
	case *wire.ConferenceJoined:
		if conf.join(m.Member) && m.Member.Login.LoginID != c.self.LoginID {
			c.say(conf.name, "("+nameOf(&m.Member.Login)+" has joined.)")
		}
	case *wire.ConferenceParted:
		if who := conf.members[m.Number]; who != nil {
			delete(conf.members, m.Number)
			c.say(conf.name, "("+nameOf(who)+" has left.)")
		}
	case *wire.ConferenceMessaged:
		c.said(conf, m)
	}
	return nil
}

// join notes a member; it gives false where the member is known, or there is no
// room.
func (conf *conference) join(m wire.Member) bool {
	if conf.members[m.Number] != nil || len(conf.members) >= maxMembers {
		return false
	}
	conf.members[m.Number] = &m.Login
	return true
}

// said delivers a text with its speaker's name in front. What the server sends us
// back of our own is left out.
func (c *Conversation) said(conf *conference, m *wire.ConferenceMessaged) {
	who := conf.members[m.Number]
	if m.Content.Form != wire.FormText || who != nil && who.LoginID == c.self.LoginID {
		return
	}
	name := "Somebody"
	if who != nil {
		name = nameOf(who)
	}
	c.say(conf.name, name+": "+m.Content.Text)
}

// conferenceLost takes a conference out of the roster.
func (c *Conversation) conferenceLost(ch *channel, _ wire.Reason) error {
	c.events.put(broker.RosterChanged{Contact: ch.conference.contact(), Removed: true})
	return nil
}
