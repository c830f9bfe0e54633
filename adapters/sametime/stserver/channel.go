package stserver

import (
	"rollcall/adapters/sametime/wire"
)

// channel is one client's end of a channel.
type channel struct {
	service    wire.Service
	peer       *client // for messages: the other client
	peerID     uint32  // and its end
	conference *conference
	member     uint16
}

// services have what answers on the channels of each of the server's own services.
var services map[wire.Service]func(c *client, channel uint32, m wire.ServiceMessage)

func init() { // they lead back here
	services = map[wire.Service]func(*client, uint32, wire.ServiceMessage){
		wire.ServiceAwareness:  (*client).aware,
		wire.ServiceResolve:    (*client).resolve,
		wire.ServiceStorage:    (*client).storage,
		wire.ServiceConference: (*client).confer,
	}
}

// maxChannels is how many channels a client may have open.
const maxChannels = 10_000

func (c *client) create(m wire.Message) {
	create := m.(*wire.ChannelCreate)
	refuse := func(r wire.Reason) { c.send(&wire.ChannelDestroy{Channel: create.Channel, Reason: r}) }
	f := &c.s.faults
	switch {
	case create.Channel == 0 || create.Channel&wire.ServerChannel != 0 || c.channels[create.Channel] != nil || len(c.channels) >= maxChannels:
		refuse(wire.ProtocolError)
	case f.silent(create.Service):
	case f.missing(create.Service):
		refuse(wire.ServiceUnknown)
	case create.Target.ID != "":
		c.call(create, refuse)
	case create.Service == wire.ServiceConference:
		c.confers(create)
	case services[create.Service] != nil:
		c.channels[create.Channel] = &channel{service: create.Service}
		c.acceptOwn(create.Channel, create.Service)
	default:
		refuse(wire.ServiceUnknown)
	}
}

func (c *client) acceptOwn(id uint32, service wire.Service) {
	c.send(&wire.ChannelAccept{Channel: id, Service: service, Protocol: wire.Protocols[service]})
}

// call passes a channel to a person on to the best of the person's clients.
func (c *client) call(create *wire.ChannelCreate, refuse func(wire.Reason)) {
	p := c.s.people[create.Target.ID]
	switch {
	case create.Service == wire.ServiceIM && c.s.faults.RefuseIM != wire.Success:
		refuse(c.s.faults.RefuseIM)
		return
	case p == nil || len(p.clients) == 0:
		refuse(wire.UserGone)
		return
	}
	to := p.preferred()
	id := to.nextChannel()
	c.channels[create.Channel] = &channel{service: create.Service, peer: to, peerID: id}
	to.channels[id] = &channel{service: create.Service, peer: c, peerID: create.Channel}
	passed := *create
	passed.Channel, passed.Creator = id, &c.info
	to.send(&passed)
}

// preferred gives the client that messages go to: the lowest type, and the latest
// of that.
func (p *person) preferred() *client {
	best := p.clients[0]
	for _, c := range p.clients {
		if c.kind <= best.kind {
			best = c
		}
	}
	return best
}

func (c *client) nextChannel() uint32 {
	c.opened++
	return c.opened | wire.ServerChannel
}

func (c *client) accept(m wire.Message) {
	accept := m.(*wire.ChannelAccept)
	ch := c.channels[accept.Channel]
	if ch == nil || ch.peer == nil {
		return // a conference begins with JOIN; others are not to be accepted
	}
	passed := *accept
	passed.Channel, passed.Acceptor = ch.peerID, &c.info
	ch.peer.send(&passed)
}

// relay passes what is said to a person on, and hands the rest to its service.
func (c *client) relay(m wire.Message) {
	said := m.(*wire.ChannelSend)
	ch := c.channels[said.Channel]
	switch {
	case ch == nil:
	case ch.peer != nil:
		passed := *said
		passed.Channel = ch.peerID
		ch.peer.send(&passed)
	default:
		inner, err := wire.DecodeService(ch.service, wire.FromClient, said.Kind, said.Data)
		if err != nil {
			c.s.config.Logger.Warn("a client says what its channel's service does not know", "client", c.number, "error", err)
			c.send(&wire.ChannelDestroy{Channel: said.Channel, Reason: wire.ProtocolError})
			delete(c.channels, said.Channel)
			return
		}
		services[ch.service](c, said.Channel, inner)
	}
}

func (c *client) destroy(m wire.Message) {
	destroy := m.(*wire.ChannelDestroy)
	if destroy.Channel == 0 {
		c.leave()
		c.ending = true
		c.conn.Close()
		return
	}
	if ch := c.channels[destroy.Channel]; ch != nil {
		delete(c.channels, destroy.Channel)
		ch.gone(destroy.Reason, destroy.Data)
	}
}

// gone tells the other side that this one has closed the channel.
func (ch *channel) gone(reason wire.Reason, data []byte) {
	switch {
	case ch.peer != nil:
		delete(ch.peer.channels, ch.peerID)
		ch.peer.send(&wire.ChannelDestroy{Channel: ch.peerID, Reason: reason, Data: data})
	case ch.conference != nil:
		ch.conference.part(ch.member)
	}
}
