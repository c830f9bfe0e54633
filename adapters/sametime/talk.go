package sametime

import (
	"context"
	"time"

	"rollcall/adapters/sametime/wire"
	"rollcall/domain/broker"
)

// Send sends a text to a person, by user id or by a name that stands for one
// person, or to a conference. It waits for the channel to the person, so that a
// recipient who is not there is known. The protocol has no receipts: what goes on
// an open channel counts as sent; see talkLost for what is lost with a channel.
func (c *Conversation) Send(ctx context.Context, m broker.OutgoingMessage) error {
	if err := c.live(); err != nil {
		return err
	}
	ch, err := c.talkTo(ctx, m.To)
	if err != nil {
		return err
	}
	var texts []wire.ServiceMessage
	for piece := range pieces(m.Body, wire.MaxString) {
		texts = append(texts, ch.text(piece))
	}
	c.mu.Lock()
	ch.usedAt = time.Now()
	ch.sent = ch.usedAt
	gone := ch.err
	c.mu.Unlock()
	if gone != nil {
		return gone
	}
	return c.sendOn(ch, ch.encrypter, texts...)
}

// text is a text in the form that the channel has for it.
func (ch *channel) text(text string) wire.ServiceMessage {
	content := wire.InstantMessage{Form: wire.FormText, Text: text}
	if ch.conference != nil {
		return &wire.ConferenceMessage{Content: content}
	}
	return &content
}

// talkTo gives an open channel to a person or a conference.
func (c *Conversation) talkTo(ctx context.Context, to string) (*channel, error) {
	if ch := c.talk(to); ch != nil {
		return ch, c.await(ctx, ch)
	}
	if to == "" {
		return nil, sendError("the message has no recipient")
	}
	if c.events.isFull() { // the reader may be waiting for the sink, and the sink for us
		return nil, errBehind
	}
	id := to
	if !c.knows(to) {
		var err error
		if id, err = c.resolve(ctx, to); err != nil {
			return nil, err
		}
		if ch := c.talk(id); ch != nil {
			return ch, c.await(ctx, ch)
		}
	}
	ch, err := c.call(id)
	if err != nil {
		return nil, err
	}
	return ch, c.await(ctx, ch)
}

func (c *Conversation) talk(to string) *channel {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.talks[to]
}

// call opens a channel to a person.
func (c *Conversation) call(id string) (*channel, error) {
	offer, pair := c.offer()
	c.mu.Lock()
	var spare *channel
	if len(c.channels) >= maxChannels {
		if spare = c.leastUsed(); spare == nil {
			c.mu.Unlock()
			return nil, errBehind
		}
		c.drop(spare)
	}
	ch := c.add(wire.ServiceIM, id)
	ch.pair = pair
	c.talks[id] = ch
	c.mu.Unlock()
	if spare != nil {
		if err := c.write(&wire.ChannelDestroy{Channel: spare.id, Reason: wire.Success}); err != nil {
			return nil, err
		}
	}
	data, err := wire.Marshal(&wire.IMOffer{Features: wire.IMPlain})
	if err != nil {
		return nil, err
	}
	err = c.write(&wire.ChannelCreate{
		Channel: ch.id, Target: wire.IDBlock{ID: id}, Service: wire.ServiceIM,
		Protocol: wire.Protocols[wire.ServiceIM], Data: data, Encryption: offer,
	})
	return ch, err
}

// leastUsed gives the channel to a person that has been quiet the longest. The lock
// is held.
func (c *Conversation) leastUsed() *channel {
	var least *channel
	for _, ch := range c.channels {
		if ch.service == wire.ServiceIM && ch.open && (least == nil || ch.usedAt.Before(least.usedAt)) {
			least = ch
		}
	}
	return least
}

func (c *Conversation) talkOpen(ch *channel, a *wire.ChannelAccept) error {
	if err := c.agreed(ch, a); err != nil {
		c.logger.Warn("a recipient's client chose an encryption that cannot be used", "error", err)
		return c.closeChannel(ch, wire.EncryptInvalid)
	}
	return nil
}

// called answers somebody who wants to talk.
func (c *Conversation) called(create *wire.ChannelCreate) error {
	var offer wire.IMOffer
	if err := wire.Unmarshal(create.Data, &offer); err != nil || offer.Features != wire.IMPlain && offer.Features != wire.IMNotesBuddy {
		return c.refuse(create, wire.IMNotRegistered)
	}
	if create.Creator == nil || create.Creator.UserID == c.self.UserID { // nobody, or a client of our own person
		return c.refuse(create, wire.NotAuthorized)
	}
	ch := &channel{id: create.Channel, service: create.Service, peer: create.Creator.UserID, opened: make(chan struct{}), open: true, usedAt: time.Now()}
	close(ch.opened)
	acceptance, err := c.choose(ch, create)
	if err != nil {
		c.logger.Warn("a caller's encryption cannot be used", "error", err)
		return c.refuse(create, wire.EncryptInvalid)
	}
	c.mu.Lock()
	c.channels[ch.id] = ch
	c.talks[ch.peer] = ch
	c.lookup.remember(ch.peer, ch.peer)
	status := c.status
	c.mu.Unlock()
	data, err := wire.Marshal(&wire.IMAnswer{Features: offer.Features, Status: status})
	if err != nil {
		return err
	}
	return c.write(&wire.ChannelAccept{Channel: ch.id, Service: ch.service, Protocol: create.Protocol, Data: data, Encryption: acceptance})
}

// talked delivers what a person says.
func (c *Conversation) talked(ch *channel, m wire.ServiceMessage) error {
	im, is := m.(*wire.InstantMessage)
	if !is {
		return nil
	}
	c.mu.Lock()
	ch.usedAt = time.Now()
	c.mu.Unlock()
	switch {
	case im.Form == wire.FormText:
		c.say(ch.peer, im.Text)
	case im.Form == wire.FormData && im.Data == wire.DataTyping:
		c.events.put(broker.TypingChanged{Contact: readable(ch.peer), Typing: im.Sub == wire.TypingBegins})
	case im.Form == wire.FormData:
		if text, whole := ch.rich(im); whole && text != "" {
			c.say(ch.peer, text)
		}
	}
	return nil
}

// What is sent so shortly before its channel is closed may not have been read: the
// protocol tells nothing of a single message.
const (
	doubtAfterFailure = 5 * time.Second
	doubtAfterClosing = time.Second
)

// talkLost tells the person where a message may be lost with its channel.
func (c *Conversation) talkLost(ch *channel, why wire.Reason) error {
	c.mu.Lock()
	open, sent := ch.open, ch.sent
	c.mu.Unlock()
	doubt := doubtAfterClosing
	if why.Failed() {
		doubt = doubtAfterFailure
	}
	if open && !sent.IsZero() && time.Since(sent) < doubt {
		c.say(ch.peer, "(Your last message may not have been delivered: "+(&ReasonError{why}).Error()+".)")
	}
	return nil
}
