package stserver

import (
	"rollcall/adapters/sametime/wire"
)

// conference is a talk of several clients.
type conference struct {
	s           *Server
	name, title string
	members     map[uint16]*member
	last        uint16
}

// member is a client in a conference, on one of its channels.
type member struct {
	client  *client
	channel uint32
}

// confers begins a conference.
func (c *client) confers(create *wire.ChannelCreate) {
	var offer wire.ConferenceOffer
	if wire.Unmarshal(create.Data, &offer) != nil || offer.Name == "" || c.s.conferences[offer.Name] != nil {
		c.send(&wire.ChannelDestroy{Channel: create.Channel, Reason: wire.Failure})
		return
	}
	conf := &conference{s: c.s, name: offer.Name, title: offer.Title, members: make(map[uint16]*member)}
	c.s.conferences[conf.name] = conf
	c.channels[create.Channel] = &channel{service: create.Service, conference: conf}
	c.acceptOwn(create.Channel, create.Service)
	conf.join(c, create.Channel)
}

// join lets a client in: it learns who is there, and they learn that it is.
func (conf *conference) join(c *client, channel uint32) {
	if conf.last == 1<<16-1 {
		c.send(&wire.ChannelDestroy{Channel: channel, Reason: wire.Failure})
		return
	}
	conf.last++
	ch := c.channels[channel]
	ch.member = conf.last
	conf.members[ch.member] = &member{c, channel}
	welcome := &wire.ConferenceWelcome{Name: conf.name, Title: conf.title}
	for number, m := range conf.members {
		welcome.Members = append(welcome.Members, wire.Member{Number: number, Login: m.client.info})
	}
	c.sendService(channel, welcome)
	conf.tell(ch.member, &wire.ConferenceJoined{Member: wire.Member{Number: ch.member, Login: c.info}})
}

// tell says something to everybody but one.
func (conf *conference) tell(but uint16, m wire.ServiceMessage) {
	for number, to := range conf.members {
		if number != but {
			to.client.sendService(to.channel, m)
		}
	}
}

// part takes a member out, and ends a conference that nobody is in.
func (conf *conference) part(number uint16) {
	if conf.members[number] == nil {
		return
	}
	delete(conf.members, number)
	conf.tell(number, &wire.ConferenceParted{Number: number})
	if len(conf.members) == 0 {
		delete(conf.s.conferences, conf.name)
	}
}

// confer handles what a client says in a conference.
func (c *client) confer(channel uint32, m wire.ServiceMessage) {
	ch := c.channels[channel]
	conf, inside := ch.conference, ch.conference.members[ch.member] != nil
	switch m := m.(type) {
	case *wire.ConferenceJoin:
		if !inside {
			conf.join(c, channel)
		}
	case *wire.ConferenceInvite:
		if p := c.s.people[m.Target.ID]; inside && p != nil && len(p.clients) > 0 {
			c.invite(conf, p.preferred(), m.Text)
		}
	case *wire.ConferenceMessage:
		if inside {
			conf.tell(ch.member, &wire.ConferenceMessaged{Number: ch.member, Content: m.Content})
		}
	}
}

// invite opens a channel to a client that is asked to come.
func (c *client) invite(conf *conference, to *client, text string) {
	data, err := wire.Marshal(&wire.ConferenceInvitation{Name: conf.name, Title: conf.title, Inviter: c.info, Text: text})
	if err != nil {
		return // a text that was taken fits
	}
	id := to.nextChannel()
	to.channels[id] = &channel{service: wire.ServiceConference, conference: conf}
	to.send(&wire.ChannelCreate{
		Channel: id, Target: wire.IDBlock{ID: to.who.UserID}, Service: wire.ServiceConference,
		Protocol: wire.Protocols[wire.ServiceConference], Data: data, Creator: &c.info,
	})
}
