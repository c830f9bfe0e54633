package groupwise

import (
	"context"
	"errors"
	"strings"
	"unicode/utf8"

	"rollcall/adapters/groupwise/rtf"
	"rollcall/adapters/groupwise/wire"
	"rollcall/domain/broker"
)

// maxText is how many bytes of text go into one message, as with libpurple; a
// longer text is sent in parts.
const maxText = 2048

// sent is the message that Send waits for.
type sent struct {
	talk *talk
	lost *person // who did not get it
}

func (s *sent) isTo(who *person, guid wire.GUID) bool {
	return guid == "" && len(s.talk.with) == 1 && s.talk.has(who) || guid.Key() == s.talk.guid.Key()
}

// Send sends a message to a contact, to anybody by user id, or to a conference. A
// conversation is made where there is none, and made anew once where the server
// has forgotten it.
func (v *Conversation) Send(ctx context.Context, m broker.OutgoingMessage) error {
	if !utf8.ValidString(m.Body) {
		return refused("it is not UTF-8 text")
	}
	if strings.HasPrefix(m.To, conferencePrefix) {
		return v.sendError(v.sendToConference(ctx, m.To, m.Body))
	}
	return v.sendError(v.sendToPerson(ctx, m))
}

func (v *Conversation) sendToPerson(ctx context.Context, m broker.OutgoingMessage) error {
	to, err := v.find(ctx, m.To)
	if err != nil {
		return err
	}
	for _, part := range split(m.Body, maxText) {
		t, fresh, err := v.openTalk(ctx, to)
		if err != nil {
			return err
		}
		err = v.sendPart(ctx, t, part)
		if resultOf(err) == wire.ConversationNotFound && !fresh {
			v.locked(func() { v.drop(t) })
			if t, _, err = v.openTalk(ctx, to); err == nil {
				err = v.sendPart(ctx, t, part)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// find gives the person of that address; who is not known is asked for.
func (v *Conversation) find(ctx context.Context, address string) (*person, error) {
	v.mu.Lock()
	known := v.people.byAddress[fold(address)]
	v.mu.Unlock()
	if known != nil {
		return known, nil
	}
	if address == "" || len(address) > 256 || !utf8.ValidString(address) {
		return nil, refused("the recipient is not a user id")
	}
	answer, err := v.ask(ctx, wire.CommandGetDetails, wire.Fields{wire.TextField(wire.TagUserID, address)})
	if err != nil {
		return nil, err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if met := v.meetAll(answer); len(met) > 0 {
		return met[0], nil
	}
	return nil, refused("the server knows nobody else of that name")
}

// openTalk gives the conversation with somebody, which is made if there is none.
func (v *Conversation) openTalk(ctx context.Context, to *person) (t *talk, fresh bool, err error) {
	v.mu.Lock()
	t = to.talk
	own := v.people.own
	v.mu.Unlock()
	if t != nil {
		return t, false, nil
	}
	answer, err := v.ask(ctx, wire.CommandCreate, wire.Create([]string{to.dn}, own))
	if err != nil {
		return nil, false, err
	}
	t = &talk{guid: wire.ParseGUID(answer), with: []*person{to}}
	if t.guid.IsZero() {
		return nil, false, refused("the server made no conversation")
	}
	v.locked(func() { v.remember(t) })
	return t, true, nil
}

// sendPart sends one message and waits for the server's word on it.
func (v *Conversation) sendPart(ctx context.Context, t *talk, text string) error {
	s := &sent{talk: t}
	var to []string
	v.locked(func() { v.sent, to = s, t.dns() })
	message := wire.SendMessage{GUID: t.guid, Body: rtf.Write(text, v.o.dialect), Text: text, To: to}
	_, err := v.ask(ctx, wire.CommandSend, message.Fields())
	v.locked(func() { v.sent = nil })
	if err == nil && s.lost != nil && !t.conference {
		return refused("%s is not there", s.lost.name)
	}
	var result *ResultError
	if errors.As(err, &result) && !t.conference && result.Code != wire.ConversationNotFound {
		v.locked(func() { v.drop(t) })
	}
	return err
}

func (v *Conversation) locked(f func()) {
	v.mu.Lock()
	defer v.mu.Unlock()
	f()
}

// split cuts a text into parts of up to limit bytes: at the end of a line or of a
// word where one is near, and never inside of a character.
func split(text string, limit int) []string {
	var parts []string
	for len(text) > limit {
		cut := limit
		for !utf8.RuneStart(text[cut]) {
			cut--
		}
		if at := strings.LastIndexAny(text[:cut], "\n "); at > cut*3/4 {
			cut = at + 1
		}
		parts = append(parts, text[:cut])
		text = text[cut:]
	}
	return append(parts, text)
}
