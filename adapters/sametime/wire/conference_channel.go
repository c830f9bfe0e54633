package wire

// ConferenceOffer is the additional data of a client's CREATE of a conference.
type ConferenceOffer struct{ Name, Title string }

func (*ConferenceOffer) name() string { return "conference-offer" }

func (p *ConferenceOffer) fields(f form) {
	f.text("name", &p.Name)
	f.text("title", &p.Title)
	f.constant(0, 0, 0, 0)
}

// ConferenceInvitation is the additional data of the server's CREATE that invites
// somebody to a conference.
type ConferenceInvitation struct {
	Name, Title string
	Inviter     LoginInfo
	Text        string
}

func (*ConferenceInvitation) name() string { return "conference-invitation" }

func (p *ConferenceInvitation) fields(f form) {
	f.constant(0, 0, 0, 0)
	f.text("name", &p.Name)
	f.text("title", &p.Title)
	f.constant(0, 0, 0, 0)
	p.Inviter.fields(f)
	f.constant(0, 0, 0, 0)
	f.text("text", &p.Text)
}
