package groupwise

import (
	"cmp"
	"slices"
	"time"

	"rollcall/adapters/groupwise/rtf"
	"rollcall/adapters/groupwise/wire"
	"rollcall/domain"
	"rollcall/domain/broker"
)

// aboutPeople have one entry for each event that is about somebody. Those of
// strangers are told only once their details are there, see held.go. The handlers
// are called with the lock held. Other events say nothing that can be used.
var aboutPeople = map[wire.EventType]struct {
	handle    func(*Conversation, *person, *wire.Event)
	strangers bool
}{
	wire.StatusChanged:      {(*Conversation).statusChanged, false},
	wire.Message:            {(*Conversation).messageCame, true},
	wire.AutomaticReply:     {(*Conversation).automaticReply, true},
	wire.Broadcast:          {(*Conversation).broadcast, true},
	wire.SystemBroadcast:    {(*Conversation).broadcast, true},
	wire.FileOffered:        {(*Conversation).fileOffered, true},
	wire.Typing:             {(*Conversation).typing, false},
	wire.StoppedTyping:      {(*Conversation).typing, false},
	wire.Undeliverable:      {(*Conversation).undeliverable, false},
	wire.InvalidRecipient:   {(*Conversation).undeliverable, false},
	wire.ConversationClosed: {(*Conversation).conversationClosed, false},
	wire.Joined:             {(*Conversation).joined, true},
	wire.Left:               {(*Conversation).left, false},
	wire.Invitation:         {(*Conversation).invitation, true},
	wire.Invited:            {(*Conversation).wasInvited, true},
	wire.InviteRejected:     {(*Conversation).inviteRejected, true},
}

// happened takes an event. An error ends the conversation.
func (v *Conversation) happened(e *wire.Event) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.heardAt = time.Now()
	switch e.Type {
	case wire.SignedOnElsewhere:
		return &broker.UpstreamError{Code: domain.RejectUpstreamRefused, Text: "the account has signed on elsewhere, and the server takes one session of each"}
	case wire.GoingDown:
		v.gone = "the server has gone down"
		return nil
	}
	about, known := aboutPeople[e.Type]
	if !known || v.people.isOwn(e.Source) {
		return nil
	}
	if waiting := v.held[fold(e.Source)]; waiting != nil {
		v.hold(waiting, e)
		return nil
	}
	who := v.people.byDN[fold(e.Source)]
	switch {
	case who != nil:
		about.handle(v, who, e)
	case about.strangers:
		v.fetch(e)
	}
	return nil
}

func (v *Conversation) statusChanged(who *person, e *wire.Event) {
	show := showOf(e.Status)
	if show == broker.ShowOffline && who.talk != nil {
		v.drop(who.talk) // a later session of theirs is not in it
	}
	v.queue.put(broker.PresenceChanged{Contact: who.address, Show: show, Text: clean(e.Text)})
}

// maxBody is the most bytes of one message to a device; a longer one is told in
// parts.
const maxBody = 32 << 10

// say delivers a message from somebody in a conversation.
func (v *Conversation) say(who *person, t *talk, body string) {
	from := who.address
	if t.conference {
		from = t.address()
		body = who.name + ": " + body
	}
	for _, part := range split(body, maxBody) {
		v.queue.put(broker.MessageReceived{From: from, Body: part})
	}
}

// messageCame takes a message. Servers are known to send empty ones, which say
// nothing.
func (v *Conversation) messageCame(who *person, e *wire.Event) {
	t := v.talkWith(who, e.GUID)
	if body := rtf.Text(e.Text); body != "" {
		v.say(who, t, body)
	}
}

func (v *Conversation) automaticReply(who *person, e *wire.Event) {
	if text := clean(e.Text); text != "" {
		v.say(who, v.talkWith(who, e.GUID), "(Automatic reply) "+text)
	}
}

// note delivers something that nobody wrote.
func (v *Conversation) note(from, text string) {
	v.queue.put(broker.MessageReceived{From: from, Body: "(" + text + ")"})
}

func (v *Conversation) broadcast(who *person, e *wire.Event) {
	if text := clean(e.Text); text != "" {
		v.say(who, &talk{}, "(To everybody) "+text)
	}
}

func (v *Conversation) fileOffered(who *person, _ *wire.Event) {
	v.note(who.address, "A file was offered, which cannot be taken here.")
}

func (v *Conversation) typing(who *person, e *wire.Event) {
	if t := v.talks[e.GUID.Key()]; t == nil || !t.conference {
		v.queue.put(broker.TypingChanged{Contact: who.address, Typing: e.Type == wire.Typing})
	}
}

// undeliverable tells whoever sent a message that somebody did not get it: Send,
// if it still waits, else the person.
func (v *Conversation) undeliverable(who *person, e *wire.Event) {
	if who.talk != nil {
		v.drop(who.talk)
	}
	if v.sent != nil && v.sent.isTo(who, e.GUID) {
		v.sent.lost = who
		return
	}
	from := who.address
	if t := v.talks[e.GUID.Key()]; t != nil && t.conference {
		from = t.address()
	}
	v.note(from, cmp.Or(who.name, who.address)+" is not there; your message was not delivered.")
}

func (v *Conversation) conversationClosed(_ *person, e *wire.Event) {
	if t := v.talks[e.GUID.Key()]; t != nil {
		v.drop(t)
		if t.conference {
			v.note(t.address(), "The conference is over.")
		}
	}
}

// left forgets a conversation of two: the next message makes another.
func (v *Conversation) left(who *person, e *wire.Event) {
	t := v.talks[e.GUID.Key()]
	switch {
	case t == nil:
	case !t.conference:
		v.drop(t)
	case t.has(who):
		t.with = slices.DeleteFunc(t.with, func(p *person) bool { return p == who })
		v.note(t.address(), who.name+" has left.")
	}
}
