package sametime_test

import (
	"errors"
	"slices"
	"testing"

	"rollcall/adapters/sametime/stserver"
	"rollcall/adapters/sametime/wire"
	"rollcall/domain/broker"
)

// confer has a client begin a conference and invite alice.
func (c *client) confer(name, title, text string) *talk {
	c.t.Helper()
	data, err := wire.Marshal(&wire.ConferenceOffer{Name: name, Title: title})
	if err != nil {
		c.t.Fatal(err)
	}
	c.opened++
	k := &talk{c: c, id: c.opened}
	c.say(&wire.ChannelCreate{Channel: k.id, Service: wire.ServiceConference, Protocol: wire.Protocols[wire.ServiceConference], Data: data})
	await[*wire.ChannelAccept](c)
	k.confer(&wire.ConferenceInvite{Target: wire.IDBlock{ID: userID("alice")}, Text: text, User: userID("alice")})
	return k
}

// confer says something to the conference.
func (k *talk) confer(m wire.ServiceMessage) {
	k.c.t.Helper()
	data, err := wire.Marshal(m)
	if err != nil {
		k.c.t.Fatal(err)
	}
	k.c.say(&wire.ChannelSend{Channel: k.id, Kind: m.Kind(), Data: data})
}

// heard waits for one kind of message of the conference.
func heard[M wire.ServiceMessage](k *talk) M {
	k.c.t.Helper()
	for {
		said := await[*wire.ChannelSend](k.c)
		m, err := wire.DecodeService(wire.ServiceConference, wire.FromServer, said.Kind, said.Data)
		if err != nil {
			k.c.t.Fatal(err)
		}
		if m, is := m.(M); is {
			return m
		}
	}
}

func TestConference(t *testing.T) {
	d, s := start(t, stserver.Config{}), newSink()
	alice := mustLogin(t, d.settings(), "alice", s)
	bob := dialClient(t, d.address, "bob", "bob-secret")
	k := bob.confer("lunch-1", "Where to eat", "please come")
	const address = "conference:lunch-1"
	hears(t, s, userID("bob"), "(Invitation to the conference “Where to eat”.)")
	added := eventually(t, s, "the conference as a contact", func(broker.RosterChanged) bool { return true })
	if added.Contact.Address != address || added.Contact.Name != "Where to eat" || added.Removed {
		t.Errorf("the conference is %+v", added)
	}
	hears(t, s, address, "Bob Smith: please come")
	if who := heard[*wire.ConferenceJoined](k).Member.Login.UserID; who != userID("alice") {
		t.Errorf("%s has joined, want alice", who)
	}
	k.confer(&wire.ConferenceMessage{Content: wire.InstantMessage{Form: wire.FormText, Text: "pizza?"}})
	hears(t, s, address, "Bob Smith: pizza?")
	send(t, alice, address, "yes")
	if m := heard[*wire.ConferenceMessaged](k); m.Content.Text != "yes" {
		t.Errorf("bob hears %+v", m)
	}
	k.confer(&wire.ConferenceInvite{Target: wire.IDBlock{ID: userID("carol")}, Text: ""})
	carol := newSink()
	mustLogin(t, d.settings(), "carol", carol)
	k.confer(&wire.ConferenceInvite{Target: wire.IDBlock{ID: userID("carol")}, Text: ""})
	hears(t, s, address, "(Carol Smith has joined.)")
	send(t, alice, address, "hello carol")
	hears(t, carol, address, "Alice Smith: hello carol")
	bob.logout()
	hears(t, s, address, "(Bob Smith has left.)")
}

func TestConferenceEnds(t *testing.T) {
	var r record
	d, s := start(t, stserver.Config{Observe: r.observe}), newSink()
	alice := mustLogin(t, d.settings(), "alice", s)
	dialClient(t, d.address, "bob", "bob-secret").confer("brief", "", "")
	eventually(t, s, "the conference", func(broker.RosterChanged) bool { return true })
	var channel uint32
	for _, creates := range said[*wire.ChannelCreate](&r, wire.FromServer) {
		i := slices.IndexFunc(creates, func(c *wire.ChannelCreate) bool { return c.Service == wire.ServiceConference })
		channel = creates[i].Channel
	}
	d.Say(userID("alice"), &wire.ChannelDestroy{Channel: channel})
	eventually(t, s, "the end of the conference", func(e broker.RosterChanged) bool {
		return e.Removed && e.Contact.Address == "conference:brief"
	})
	var refused *broker.SendError
	if err := alice.Send(t.Context(), broker.OutgoingMessage{ID: "1", To: "conference:brief", Body: "x"}); !errors.As(err, &refused) {
		t.Errorf("Send to a conference that is over = %v, want a *SendError", err)
	}
}

func TestConferencesRefused(t *testing.T) {
	d, s := start(t, stserver.Config{}), newSink()
	mustLogin(t, d.settings("conferences", "refuse"), "alice", s)
	dialClient(t, d.address, "bob", "bob-secret").confer("party", "Party", "come")
	hears(t, s, userID("bob"), "(Invitation to the conference “Party”, which this service does not take part in.)")
}
