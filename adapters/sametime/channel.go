package sametime

import (
	"context"
	"time"

	"rollcall/adapters/sametime/seal"
	"rollcall/adapters/sametime/wire"
)

// channel is our end of a channel. What may change is under the conversation's
// lock, except for what the reader alone uses.
type channel struct {
	id      uint32
	service wire.Service
	peer    string        // the user id, for messages; the address, for a conference
	opened  chan struct{} // closed when the channel is accepted or gone
	open    bool
	err     error // why it is gone
	usedAt  time.Time
	sent    time.Time // when a message was last sent on it

	pair      seal.KeyPair // offered with the channel
	encrypter *seal.Cipher // nil: in the clear; used under the write lock
	// The reader's own.
	decrypter  *seal.Cipher
	parts      *longMessage // one that comes in pieces; nil while none does
	conference *conference  // nil unless it is one
}

// maxChannels is how many channels one conversation has at once.
const maxChannels = 512

// fail closes the channel for whoever waits for it. The lock is held.
func (ch *channel) fail(err error) {
	if ch.err == nil {
		ch.err = err
	}
	ch.settle()
}

// settle lets go of who waits. The lock is held.
func (ch *channel) settle() {
	select {
	case <-ch.opened:
	default:
		close(ch.opened)
	}
}

// add makes a channel of ours. The lock is held.
func (c *Conversation) add(service wire.Service, peer string) *channel {
	c.opened++
	ch := &channel{id: c.opened, service: service, peer: peer, opened: make(chan struct{}), usedAt: time.Now()}
	c.channels[ch.id] = ch
	return ch
}

// openService opens a channel to one of the server's own services.
func (c *Conversation) openService(service wire.Service) error {
	c.mu.Lock()
	ch := c.add(service, "")
	c.mu.Unlock()
	return c.write(&wire.ChannelCreate{Channel: ch.id, Service: service, Protocol: wire.Protocols[service]})
}

// hasService tells whether there is a channel to a service.
func (c *Conversation) hasService(service wire.Service) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.serviceChannel(service) != nil
}

// serviceChannel is the channel to one of the server's own services. The lock is
// held.
func (c *Conversation) serviceChannel(service wire.Service) *channel {
	for _, ch := range c.channels {
		if ch.service == service && ch.peer == "" {
			return ch
		}
	}
	return nil
}

// drop forgets a channel. The lock is held.
func (c *Conversation) drop(ch *channel) {
	delete(c.channels, ch.id)
	if c.talks[ch.peer] == ch {
		delete(c.talks, ch.peer)
	}
}

// await waits until a channel is open, or will not be.
func (c *Conversation) await(ctx context.Context, ch *channel) error {
	if c.events.isFull() { // the reader may wait already, and has let go of who waited then
		c.giveUpWaiting()
	}
	ctx, cancel := context.WithTimeoutCause(ctx, answerPatience, errNoAnswer)
	defer cancel()
	select {
	case <-ch.opened:
	case <-ctx.Done():
		c.mu.Lock()
		c.drop(ch)
		c.mu.Unlock()
		if err := c.write(&wire.ChannelDestroy{Channel: ch.id, Reason: wire.Success}); err != nil {
			return err
		}
		return sendError("%v", errNoAnswer)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return ch.err
}

var errNoAnswer = sendError("the recipient's server or client did not answer in time")

// giveUpWaiting lets go of everybody who waits for the server: the reader is about
// to wait for the sink, which may be waiting for them.
func (c *Conversation) giveUpWaiting() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, ch := range c.channels {
		if !ch.open && (ch.service == wire.ServiceIM || ch.service == wire.ServiceResolve) {
			c.drop(ch)
			ch.fail(errBehind)
		}
	}
	c.lookup.giveUp(errBehind)
}

var errBehind = sendError("too much waits to be delivered to this device; try again")

// accepts have what follows when a channel to a service is open.
var accepts map[wire.Service]func(*Conversation, *channel, *wire.ChannelAccept) error

// says have what follows from what comes on the channels of a service.
var says map[wire.Service]func(*Conversation, *channel, wire.ServiceMessage) error

// losses have what follows when the server closes a channel.
var losses map[wire.Service]func(*Conversation, *channel, wire.Reason) error

// creates have who answers when the server opens a channel.
var creates map[wire.Service]func(*Conversation, *wire.ChannelCreate) error

func init() { // they lead back here
	accepts = map[wire.Service]func(*Conversation, *channel, *wire.ChannelAccept) error{
		wire.ServiceStorage:   (*Conversation).storageOpen,
		wire.ServiceAwareness: (*Conversation).awarenessOpen,
		wire.ServiceIM:        (*Conversation).talkOpen,
		wire.ServiceResolve:   (*Conversation).resolveOpen,
	}
	says = map[wire.Service]func(*Conversation, *channel, wire.ServiceMessage) error{
		wire.ServiceStorage:    (*Conversation).stored,
		wire.ServiceAwareness:  (*Conversation).aware,
		wire.ServiceIM:         (*Conversation).talked,
		wire.ServiceResolve:    (*Conversation).resolved,
		wire.ServiceConference: (*Conversation).conferred,
	}
	losses = map[wire.Service]func(*Conversation, *channel, wire.Reason) error{
		wire.ServiceStorage:    (*Conversation).storageLost,
		wire.ServiceAwareness:  (*Conversation).awarenessLost,
		wire.ServiceIM:         (*Conversation).talkLost,
		wire.ServiceResolve:    (*Conversation).resolveLost,
		wire.ServiceConference: (*Conversation).conferenceLost,
	}
	creates = map[wire.Service]func(*Conversation, *wire.ChannelCreate) error{
		wire.ServiceIM:         (*Conversation).called,
		wire.ServiceConference: (*Conversation).invited,
	}
}

func (c *Conversation) handleCreate(m wire.Message) error {
	create := m.(*wire.ChannelCreate)
	c.mu.Lock()
	taken, many := c.channels[create.Channel] != nil, len(c.channels) >= maxChannels
	c.mu.Unlock()
	answer := creates[create.Service]
	switch {
	case create.Channel&wire.ServerChannel == 0 || taken:
		return c.refuse(create, wire.ProtocolError)
	case answer == nil || create.Protocol != wire.Protocols[create.Service]:
		return c.refuse(create, wire.ServiceUnknown)
	case many:
		return c.refuse(create, starving)
	}
	return answer(c, create)
}

// starving tells that we have no room.
const starving wire.Reason = 0x8000000a

func (c *Conversation) refuse(create *wire.ChannelCreate, why wire.Reason) error {
	return c.write(&wire.ChannelDestroy{Channel: create.Channel, Reason: why})
}

// find gives a channel by its number; nil if there is none.
func (c *Conversation) find(id uint32) *channel {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.channels[id]
}

func (c *Conversation) handleAccept(m wire.Message) error {
	accept := m.(*wire.ChannelAccept)
	ch := c.find(accept.Channel)
	if accept.Channel&wire.ServerChannel != 0 || ch != nil && ch.open {
		return nil
	}
	if ch == nil { // nobody waits for it any more
		return c.write(&wire.ChannelDestroy{Channel: accept.Channel, Reason: wire.Success})
	}
	err := accepts[ch.service](c, ch, accept)
	c.mu.Lock()
	defer c.mu.Unlock()
	ch.open = true
	ch.settle()
	return err
}

func (c *Conversation) handleSend(m wire.Message) error {
	said := m.(*wire.ChannelSend)
	ch := c.find(said.Channel)
	if ch == nil {
		return nil
	}
	data := said.Data
	if said.Encrypted {
		var err error
		if data, err = ch.decrypt(data); err != nil {
			c.logger.Warn("a channel's encryption does not fit; the channel is closed", "error", err)
			return c.closeChannel(ch, wire.EncryptInvalid)
		}
	}
	inner, err := wire.DecodeService(ch.service, wire.FromServer, said.Kind, data)
	if err != nil && ch.peer != "" { // a person's client said it, not the server
		c.logger.Warn("a client says what is no message; the channel is closed", "error", err)
		return c.closeChannel(ch, wire.ProtocolError)
	}
	if err != nil {
		return err
	}
	return says[ch.service](c, ch, inner)
}

func (ch *channel) decrypt(data []byte) ([]byte, error) {
	if ch.decrypter == nil {
		return nil, seal.ErrCiphertext
	}
	return ch.decrypter.Decrypt(data)
}

func (c *Conversation) closeChannel(ch *channel, why wire.Reason) error {
	c.mu.Lock()
	c.drop(ch)
	ch.fail(notTaken(why))
	c.mu.Unlock()
	return c.write(&wire.ChannelDestroy{Channel: ch.id, Reason: why})
}

func (c *Conversation) handleDestroy(m wire.Message) error {
	destroy := m.(*wire.ChannelDestroy)
	if destroy.Channel == 0 {
		return refusal("the server ended the session", destroy.Reason)
	}
	ch := c.find(destroy.Channel)
	if ch == nil {
		return nil
	}
	c.mu.Lock()
	c.drop(ch)
	ch.fail(notTaken(destroy.Reason))
	c.mu.Unlock()
	return losses[ch.service](c, ch, destroy.Reason)
}
