package wire

const kindConferenceMessage = 4

// ConferenceMessage says something to everybody in a conference.
type ConferenceMessage struct{ Content InstantMessage }

// Kind gives 4.
func (*ConferenceMessage) Kind() uint16 { return kindConferenceMessage }

func (*ConferenceMessage) name() string { return "conference-message" }

func (m *ConferenceMessage) fields(f form) { m.Content.fields(f) }

// ConferenceMessaged is what somebody in a conference has said.
type ConferenceMessaged struct {
	Number  uint16
	Content InstantMessage
}

// Kind gives 4.
func (*ConferenceMessaged) Kind() uint16 { return kindConferenceMessage }

func (*ConferenceMessaged) name() string { return "conference-messaged" }

func (m *ConferenceMessaged) fields(f form) {
	f.u16("member", &m.Number)
	f.constant(0, 0, 0, 0)
	m.Content.fields(f)
}
