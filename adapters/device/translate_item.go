package device

import (
	"fmt"
	"time"

	"rollcall/adapters/device/linkpb"
	"rollcall/domain/broker"
)

func toItem(i broker.Item) *linkpb.Item {
	m := &linkpb.Item{Number: i.Number}
	switch b := i.Body.(type) {
	case broker.MessageReceived:
		m.Body = &linkpb.Item_Message{Message: toMessage(b)}
	case broker.Sealed:
		m.Body = &linkpb.Item_Sealed{Sealed: b}
	case broker.Dropped:
		m.Body = &linkpb.Item_Dropped{Dropped: &linkpb.Dropped{Count: b.Count}}
	default:
		panic(fmt.Sprintf("device link: a %T is not an item's body", b))
	}
	return m
}

func toMessage(m broker.MessageReceived) *linkpb.Message {
	msg := &linkpb.Message{Id: valid(m.ID), From: valid(m.From), Body: valid(m.Body)}
	if !m.Sent.IsZero() {
		msg.SentMs = m.Sent.UnixMilli()
	}
	return msg
}

func fromItem(m *linkpb.Item) (broker.ToDevice, error) {
	item := broker.Item{Number: m.GetNumber()}
	if item.Number == 0 {
		return nil, malformed("item", "no number")
	}
	switch b := m.GetBody().(type) {
	case *linkpb.Item_Message:
		item.Body = fromMessage(b.Message)
	case *linkpb.Item_Sealed:
		item.Body = broker.Sealed(b.Sealed)
	case *linkpb.Item_Dropped:
		item.Body = broker.Dropped{Count: b.Dropped.GetCount()}
	default: // of a newer version: the numbers must go on
		item.Body = broker.Dropped{Count: 1}
	}
	return item, nil
}

func fromMessage(m *linkpb.Message) broker.MessageReceived {
	msg := broker.MessageReceived{ID: m.GetId(), From: m.GetFrom(), Body: m.GetBody()}
	if m.GetSentMs() != 0 {
		msg.Sent = time.UnixMilli(m.GetSentMs()).UTC()
	}
	return msg
}
