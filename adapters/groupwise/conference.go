package groupwise

import (
	"context"
	"strings"

	"rollcall/adapters/groupwise/wire"
)

// conferencePrefix begins the address of each conference. Messages in one come
// from that address, with the writer's name in front, and what is sent to it goes
// to everybody.
const conferencePrefix = "conference-"

// address gives the conference's address.
func (t *talk) address() string {
	return conferencePrefix + strings.ToLower(strings.Trim(t.guid.Key(), "[]-"))
}

// conferenceCommands are what can be written to a conference that is not for
// everybody to read. The argument is the rest of the line.
var conferenceCommands = map[string]func(v *Conversation, ctx context.Context, t *talk, argument string) error{
	"/join":   (*Conversation).join,
	"/leave":  (*Conversation).leave,
	"/invite": (*Conversation).invite,
}

// sendToConference joins the conference if we have only been invited yet.
func (v *Conversation) sendToConference(ctx context.Context, address, body string) error {
	t := v.conference(address)
	if t == nil {
		return refused("there is no such conference, or it is over")
	}
	word, argument, _ := strings.Cut(strings.TrimSpace(body), " ")
	if command := conferenceCommands[word]; command != nil {
		return command(v, ctx, t, strings.TrimSpace(argument))
	}
	if err := v.join(ctx, t, ""); err != nil {
		return err
	}
	for _, part := range split(body, maxText) {
		if err := v.sendPart(ctx, t, part); err != nil {
			return err
		}
	}
	return nil
}

func (v *Conversation) conference(address string) *talk {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, t := range v.talks {
		if t.conference && t.address() == strings.ToLower(address) {
			return t
		}
	}
	return nil
}

// join takes an invitation up; it does nothing in a conference that we are in.
func (v *Conversation) join(ctx context.Context, t *talk, _ string) error {
	v.mu.Lock()
	invited := t.invited
	v.mu.Unlock()
	if !invited {
		return nil
	}
	answer, err := v.ask(ctx, wire.CommandJoin, wire.InConversation(t.guid))
	if err != nil {
		return err
	}
	there, _ := wire.ParseJoinAnswer(answer)
	if unknown := v.unknown(there); len(unknown) > 0 {
		if details, err := v.ask(ctx, wire.CommandGetDetails, wire.GetDetails(unknown...)); err == nil {
			v.locked(func() { v.meetAll(details) }) // else their DNs have to do
		}
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	t.invited = false
	var names []string
	for _, dn := range there {
		if v.people.isOwn(dn) {
			continue
		}
		p := v.people.stranger(dn)
		if !t.has(p) {
			t.with = append(t.with, p)
		}
		names = append(names, p.name)
	}
	v.note(t.address(), "You have joined. Here are "+strings.Join(names, ", ")+".")
	return nil
}

// unknown gives those DNs of which nothing else is known.
func (v *Conversation) unknown(dns []string) []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	var unknown []string
	for _, dn := range dns {
		if v.people.byDN[fold(dn)] == nil && !v.people.isOwn(dn) {
			unknown = append(unknown, dn)
		}
	}
	return unknown
}

// leave leaves a conference, or declines to come.
func (v *Conversation) leave(ctx context.Context, t *talk, _ string) error {
	v.mu.Lock()
	command := wire.CommandLeave
	if t.invited {
		command = wire.CommandReject
	}
	v.drop(t)
	v.mu.Unlock()
	_, err := v.ask(ctx, command, wire.InConversation(t.guid))
	return err
}

func (v *Conversation) invite(ctx context.Context, t *talk, name string) error {
	if err := v.join(ctx, t, ""); err != nil {
		return err
	}
	who, err := v.find(ctx, name)
	if err != nil {
		return err
	}
	_, err = v.ask(ctx, wire.CommandInvite, wire.Invite(t.guid, "", who.dn))
	return err
}

// invitation tells that somebody asks us to join.
func (v *Conversation) invitation(who *person, e *wire.Event) {
	t := &talk{guid: e.GUID, with: []*person{who}, conference: true, invited: true}
	if v.talks[e.GUID.Key()] != nil || e.GUID.IsZero() {
		return
	}
	v.remember(t)
	text := who.name + " invites you to a conference"
	if said := clean(e.Text); said != "" {
		text += ": " + said
	}
	v.note(t.address(), text+". Write here to join it, or /leave to decline.")
}

// joined tells that somebody has come. In a conversation of two it is news only
// if it is a third.
func (v *Conversation) joined(who *person, e *wire.Event) {
	t := v.talks[e.GUID.Key()]
	if t == nil || t.has(who) {
		return
	}
	v.widen(t)
	t.with = append(t.with, who)
	v.note(t.address(), who.name+" has joined.")
}

func (v *Conversation) wasInvited(who *person, e *wire.Event) {
	if t := v.talks[e.GUID.Key()]; t != nil {
		v.widen(t)
		v.note(t.address(), who.name+" has been invited.")
	}
}

func (v *Conversation) inviteRejected(who *person, e *wire.Event) {
	if t := v.talks[e.GUID.Key()]; t != nil && t.conference {
		v.note(t.address(), who.name+" does not come.")
	}
}
