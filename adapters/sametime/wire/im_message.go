package wire

const kindIM = 0x0064

// The forms of an [InstantMessage].
const (
	FormText uint32 = 1
	FormData uint32 = 2
)

// DataKind is what an [InstantMessage] that is not plain text holds.
type DataKind uint32

// The kinds of data.
const (
	DataTyping  DataKind = 0x0001 // Sub: see [TypingBegins] and [TypingEnds]
	DataSubject DataKind = 0x0003
	DataHTML    DataKind = 0x0004
	DataMIME    DataKind = 0x0005
	DataStamp   DataKind = 0x0006
	DataInvite  DataKind = 0x000a
	DataBegins  DataKind = 0x1388 // of a long message in pieces
	DataEnds    DataKind = 0x1389
)

// What the Sub of a [DataTyping] means.
const (
	TypingBegins uint32 = 0
	TypingEnds   uint32 = 1
)

// InstantMessage is a text, or data of some kind.
type InstantMessage struct {
	Form uint32
	Text string // [FormText]
	// [FormData]
	Data  DataKind
	Sub   uint32
	Bytes []byte
}

// Kind gives 0x0064.
func (*InstantMessage) Kind() uint16 { return kindIM }

func (*InstantMessage) name() string { return "im" }

func (m *InstantMessage) fields(f form) {
	f.u32("form", &m.Form)
	switch m.Form {
	case FormText:
		f.text("text", &m.Text)
	case FormData:
		f.u32("data", (*uint32)(&m.Data))
		f.u32("sub", &m.Sub)
		f.opaque("bytes", &m.Bytes)
	}
}
