package device

import (
	"errors"
	"fmt"

	"rollcall/domain/broker"
)

// sendLong sends what does not fit into a record: of an item only a note, as the
// numbers of items have no gaps; a roster in parts. Other news is not sent.
func (l *link) sendLong(m broker.ToDevice) error {
	switch m := m.(type) {
	case broker.Item:
		l.dropped(m.Body)
		return l.channel.send(toDevice(broker.Item{Number: m.Number, Body: broker.Dropped{Count: 1}}), 0)
	case broker.State:
		if roster, ok := m.Body.(broker.RosterReceived); ok {
			return l.sendParts(m.Number, roster.Contacts, false)
		}
		l.dropped(m.Body)
		return nil
	}
	return ErrTooLong
}

// sendParts sends contacts in halves, and those in halves, until each part fits.
// A contact that does not fit alone is not sent.
func (l *link) sendParts(number uint64, contacts []broker.Contact, more bool) error {
	part := statePart{State: broker.State{Number: number, Body: broker.RosterReceived{Contacts: contacts}}, more: more}
	err := l.channel.send(toDevice(part), 0)
	if !errors.Is(err, ErrTooLong) {
		return err
	}
	half := len(contacts) / 2
	if half == 0 {
		l.dropped(contacts[0])
		return l.sendParts(number, nil, more)
	}
	if err := l.sendParts(number, contacts[:half], true); err != nil {
		return err
	}
	return l.sendParts(number, contacts[half:], more)
}

func (l *link) dropped(what any) {
	l.server.counters.itemsDropped.Add(1)
	l.server.config.Logger.Warn("something is too long for the device link and was dropped", "device", l.device, "what", fmt.Sprintf("%T", what))
}
