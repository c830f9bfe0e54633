package wire

import (
	"encoding/binary"
	"fmt"
)

// EventType is what an event tells.
type EventType uint32

// The events whose length is known.
const (
	InvalidRecipient   EventType = 101
	Undeliverable      EventType = 102
	StatusChanged      EventType = 103
	ContactAdded       EventType = 104
	ConversationClosed EventType = 105
	Joined             EventType = 106
	Left               EventType = 107
	Message            EventType = 108
	FileOffered        EventType = 109
	Typing             EventType = 112
	StoppedTyping      EventType = 113
	SignedOnElsewhere  EventType = 114
	GoingDown          EventType = 115
	Invitation         EventType = 117
	Invited            EventType = 118
	InviteRejected     EventType = 119
	AutomaticReply     EventType = 121
	Broadcast          EventType = 122
	SystemBroadcast    EventType = 123
)

// Event is something that a server says of its own accord.
type Event struct {
	Type   EventType
	Source string // the DN of whom it is about
	GUID   GUID   // of the conversation
	Flags  uint32 // of the conversation
	Status Status
	Text   string // of a message: RTF; elsewhere plain
}

// part is something that an event may hold behind its source, in this order.
type part uint8

const (
	partGUID part = 1 << iota
	partFlags
	partStatus
	partText
)

// layouts tell what stands in each event. An event that is not here cannot be
// skipped: nothing tells how long it is.
var layouts = map[EventType]struct {
	name  string
	parts part
}{
	InvalidRecipient:   {"invalid-recipient", 0},
	Undeliverable:      {"undeliverable", partGUID},
	StatusChanged:      {"status", partStatus | partText},
	ContactAdded:       {"contact-added", 0},
	ConversationClosed: {"conversation-closed", partGUID},
	Joined:             {"joined", partGUID | partFlags},
	Left:               {"left", partGUID | partFlags},
	Message:            {"message", partGUID | partFlags | partText},
	FileOffered:        {"file", 0},
	Typing:             {"typing", partGUID},
	StoppedTyping:      {"stopped-typing", partGUID},
	SignedOnElsewhere:  {"signed-on-elsewhere", 0},
	GoingDown:          {"going-down", 0},
	Invitation:         {"invitation", partGUID | partText},
	Invited:            {"invited", partGUID},
	InviteRejected:     {"invitation-rejected", partGUID},
	AutomaticReply:     {"automatic-reply", partGUID | partFlags | partText},
	Broadcast:          {"broadcast", partText},
	SystemBroadcast:    {"system-broadcast", partText},
}

// String gives the event's printed name, such as "typing".
func (t EventType) String() string {
	if layout, known := layouts[t]; known {
		return layout.name
	}
	return fmt.Sprintf("event-%d", uint32(t))
}

// Append writes the event behind b:
//
//	uint32  type
//	string  source
//	string  GUID     where the type has it
//	uint32  flags    "
//	uint16  status   "
//	string  text     "
func (e *Event) Append(b []byte) []byte {
	parts := layouts[e.Type].parts
	b = binary.LittleEndian.AppendUint32(b, uint32(e.Type))
	b = appendString(b, e.Source)
	if parts&partGUID != 0 {
		b = appendString(b, string(e.GUID))
	}
	if parts&partFlags != 0 {
		b = binary.LittleEndian.AppendUint32(b, e.Flags)
	}
	if parts&partStatus != 0 {
		b = binary.LittleEndian.AppendUint16(b, uint16(e.Status))
	}
	if parts&partText != 0 {
		b = appendString(b, e.Text)
	}
	return b
}

// event reads what follows the type.
func (d *decoder) event(t EventType) (*Event, error) {
	layout, known := layouts[t]
	if !known {
		return nil, badFormat("event", "%d is neither a response nor an event that is known", uint32(t))
	}
	d.what = "event " + layout.name
	e := &Event{Type: t}
	var err error
	if e.Source, err = d.string(MaxString); err == nil && layout.parts&partGUID != 0 {
		var guid string
		guid, err = d.string(maxGUID)
		e.GUID = GUID(guid)
	}
	if err == nil && layout.parts&partFlags != 0 {
		e.Flags, err = d.uint32()
	}
	if err == nil && layout.parts&partStatus != 0 {
		var status uint16
		status, err = d.uint16()
		e.Status = Status(status)
	}
	if err == nil && layout.parts&partText != 0 {
		e.Text, err = d.string(MaxString)
	}
	return e, err
}
