package wire

const (
	kindConferenceWelcome = 0
	kindConferenceInvite  = 1
	kindConferenceJoin    = 2
	kindConferencePart    = 3
)

// Member is somebody in a conference, who has a number there.
type Member struct {
	Number uint16
	Login  LoginInfo
}

func (m *Member) fields(f form) {
	f.u16("member", &m.Number)
	m.Login.fields(f)
}

// ConferenceWelcome tells somebody who has come who is there.
type ConferenceWelcome struct {
	Name, Title string
	Members     []Member
}

// Kind gives 0.
func (*ConferenceWelcome) Kind() uint16 { return kindConferenceWelcome }

func (*ConferenceWelcome) name() string { return "conference-welcome" }

func (m *ConferenceWelcome) fields(f form) {
	f.text("name", &m.Name)
	f.text("title", &m.Title)
	f.constant(0, 0, 0, 0, 0, 0)
	list(f, "members", &m.Members, 13, func(f form, m *Member) { m.fields(f) })
}

// ConferenceInvite asks the server to invite somebody.
type ConferenceInvite struct {
	Target IDBlock
	Text   string
	User   string
}

// Kind gives 1.
func (*ConferenceInvite) Kind() uint16 { return kindConferenceInvite }

func (*ConferenceInvite) name() string { return "conference-invite" }

func (m *ConferenceInvite) fields(f form) {
	m.Target.fields(f)
	f.constant(0, 0, 0, 0, 0, 0)
	f.text("text", &m.Text)
	f.text("user", &m.User)
}

// ConferenceJoin enters after an invitation.
type ConferenceJoin struct{}

// Kind gives 2.
func (*ConferenceJoin) Kind() uint16 { return kindConferenceJoin }

func (*ConferenceJoin) name() string { return "conference-join" }

func (*ConferenceJoin) fields(form) {}

// ConferenceJoined tells that somebody has come.
type ConferenceJoined struct{ Member Member }

// Kind gives 2.
func (*ConferenceJoined) Kind() uint16 { return kindConferenceJoin }

func (*ConferenceJoined) name() string { return "conference-joined" }

func (m *ConferenceJoined) fields(f form) { m.Member.fields(f) }

// ConferenceParted tells that somebody has left.
type ConferenceParted struct{ Number uint16 }

// Kind gives 3.
func (*ConferenceParted) Kind() uint16 { return kindConferencePart }

func (*ConferenceParted) name() string { return "conference-parted" }

func (m *ConferenceParted) fields(f form) { f.u16("member", &m.Number) }
