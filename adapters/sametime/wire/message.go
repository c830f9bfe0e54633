package wire

import "fmt"

// Part is anything that has a form on the wire.
type Part interface {
	name() string
	fields(f form)
}

// Message is one of the protocol's messages; a pointer to a struct of this
// package.
type Message interface {
	Part
	// Type is the number that the header has.
	Type() Type
}

// Type is the number of a message.
type Type uint16

// The messages.
const (
	TypeHandshake      Type = 0x0000
	TypeHandshakeAck   Type = 0x8000
	TypeLogin          Type = 0x0001
	TypeLoginAck       Type = 0x8001
	TypeLoginRedirect  Type = 0x0018
	TypeLoginContinue  Type = 0x0016
	TypeChannelCreate  Type = 0x0002
	TypeChannelAccept  Type = 0x0006
	TypeChannelSend    Type = 0x0004
	TypeChannelDestroy Type = 0x0003
	TypeSetUserStatus  Type = 0x0009
	TypeSetPrivacyList Type = 0x000b
	TypeSenseService   Type = 0x0011
	TypeAdmin          Type = 0x0019
	TypeAnnounce       Type = 0x0022
)

// messages has what makes an empty message of each type.
var messages = map[Type]func() Message{
	TypeHandshake:      func() Message { return new(Handshake) },
	TypeHandshakeAck:   func() Message { return new(HandshakeAck) },
	TypeLogin:          func() Message { return new(Login) },
	TypeLoginAck:       func() Message { return new(LoginAck) },
	TypeLoginRedirect:  func() Message { return new(LoginRedirect) },
	TypeLoginContinue:  func() Message { return new(LoginContinue) },
	TypeChannelCreate:  func() Message { return new(ChannelCreate) },
	TypeChannelAccept:  func() Message { return new(ChannelAccept) },
	TypeChannelSend:    func() Message { return new(ChannelSend) },
	TypeChannelDestroy: func() Message { return new(ChannelDestroy) },
	TypeSetUserStatus:  func() Message { return new(SetUserStatus) },
	TypeSetPrivacyList: func() Message { return new(SetPrivacyList) },
	TypeSenseService:   func() Message { return new(SenseService) },
	TypeAdmin:          func() Message { return new(Admin) },
	TypeAnnounce:       func() Message { return new(Announce) },
}

// The options of a header.
const (
	optionAttributes uint16 = 0x8000
	optionEncrypted  uint16 = 0x4000
)

// header is what stands in front of every message's body:
//
//	type u16 | options u16 | channel u32 | attributes, if the option says so
type header struct {
	kind    Type
	options uint16
	channel uint32
}

func (h *header) read(r *reader) {
	r.u16("type", (*uint16)(&h.kind))
	r.u16("options", &h.options)
	r.u32("channel", &h.channel)
	if h.options&optionAttributes != 0 {
		var ignored []byte
		r.opaque("attributes", &ignored)
	}
}

// Decode reads what a frame holds. A type that is not known gives an *[Unknown];
// an error is a *[DecodeError]. The message may share memory with frame.
func Decode(frame []byte) (Message, error) {
	r := newReader("header", frame)
	r.head.read(r)
	if r.failed != nil {
		return nil, r.failed
	}
	var m Message = &Unknown{Kind: r.head.kind}
	if empty, known := messages[r.head.kind]; known {
		m = empty()
	}
	r.what = m.name()
	m.fields(r)
	return m, r.failed
}

// Append appends a message as a frame. An error is an *[EncodeError], and nothing
// has been appended.
func Append(b []byte, m Message) ([]byte, error) {
	w := &writer{out: append(b, 0, 0, 0, 0), message: len(b) + 4}
	kind := uint16(m.Type())
	w.u16("type", &kind)
	w.constant(0, 0, 0, 0, 0, 0) // options and channel
	m.fields(w)
	w.patch(m.name(), len(b), len(w.out)-len(b)-4)
	if size := len(w.out) - len(b) - 4; size > MaxFrame {
		w.fail(m.name(), "%d bytes are more than the %d of a frame", size, MaxFrame)
	}
	if w.err != nil {
		return b, w.err
	}
	return w.out, nil
}

// Marshal gives a part by itself, such as a channel's additional data or a service
// message. An error is an *[EncodeError].
func Marshal(p Part) ([]byte, error) {
	w := &writer{message: -1}
	p.fields(w)
	return w.out, w.err
}

// Unmarshal reads a part by itself. Bytes behind it are ignored, as everywhere in
// this protocol. An error is a *[DecodeError].
func Unmarshal(data []byte, p Part) error {
	r := newReader(p.name(), data)
	p.fields(r)
	return r.failed
}

// Unknown is a message of a type that is not known.
type Unknown struct {
	Kind    Type
	Channel uint32
	Body    []byte
}

// Type gives the number that the message came with.
func (m *Unknown) Type() Type { return m.Kind }

func (m *Unknown) name() string { return fmt.Sprintf("UNKNOWN_0x%04x", uint16(m.Kind)) }

func (m *Unknown) fields(f form) {
	f.channel(&m.Channel)
	f.rest("body", &m.Body)
}
