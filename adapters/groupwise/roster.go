package groupwise

import (
	"cmp"
	"slices"
	"time"

	"rollcall/adapters/groupwise/wire"
	"rollcall/domain/broker"
)

// shows are what a status means to the broker; what is not here is offline.
var shows = map[wire.Status]broker.Show{
	wire.StatusAvailable: broker.ShowAvailable,
	wire.StatusBusy:      broker.ShowBusy,
	wire.StatusAway:      broker.ShowAway,
	wire.StatusIdle:      broker.ShowIdle,
}

var statuses = map[broker.Show]wire.Status{
	broker.ShowOffline:   wire.StatusOffline,
	broker.ShowAvailable: wire.StatusAvailable,
	broker.ShowBusy:      wire.StatusBusy,
	broker.ShowAway:      wire.StatusAway,
	broker.ShowIdle:      wire.StatusIdle,
}

func showOf(s wire.Status) broker.Show {
	if show, known := shows[s]; known {
		return show
	}
	return broker.ShowOffline
}

// welcome takes the answer to a login: who the person is, and the contact list
// with how everybody is now. The reader calls it, so that nothing gets between it
// and what comes next.
func (v *Conversation) welcome(r *wire.Response) error {
	if err := resultError(wire.CommandLogin, r); err != nil {
		return err
	}
	answer := wire.ParseLoginAnswer(r.Fields)
	v.mu.Lock()
	defer v.mu.Unlock()
	v.people.own = answer.Self.DN
	contacts, presences := v.roster(answer.Contacts)
	v.queue.put(broker.RosterReceived{Contacts: contacts})
	for _, p := range presences {
		v.queue.put(p)
	}
	v.heardAt = time.Now()
	v.alive = time.AfterFunc(pingInterval, v.checkAlive)
	return nil
}

// roster makes one contact of all entries of a person, with their folders as
// groups. Whoever is not there is offline, and not told of.
func (v *Conversation) roster(list wire.ContactList) (contacts []broker.Contact, presences []broker.PresenceChanged) {
	folders := make(map[string]string, len(list.Folders))
	for _, f := range list.Folders {
		folders[f.ID] = clean(f.Name)
	}
	at := make(map[*person]int, len(list.Contacts))
	for _, c := range list.Contacts {
		if c.DN == "" || v.people.isOwn(c.DN) {
			continue
		}
		details := wire.Person{DN: c.DN}
		if c.Details != nil {
			details = *c.Details
			details.DN = c.DN
		}
		p := v.people.learn(details, cmp.Or(c.Name, details.Name()))
		i, there := at[p]
		if !there {
			i = len(contacts)
			at[p] = i
			contacts = append(contacts, broker.Contact{Address: p.address, Name: p.name})
			if show := showOf(details.Status); show != broker.ShowOffline {
				presences = append(presences, broker.PresenceChanged{Contact: p.address, Show: show, Text: clean(details.StatusText)})
			}
		}
		if folder := folders[c.Parent]; folder != "" && !slices.Contains(contacts[i].Groups, folder) {
			contacts[i].Groups = append(contacts[i].Groups, folder)
		}
	}
	return contacts, presences
}
