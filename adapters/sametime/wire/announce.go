package wire

// Announce is a text from somebody to many.
type Announce struct {
	Sender     *LoginInfo // from the server only
	MayReply   bool
	Text       string
	Recipients []string // "@U user" or "@G group"
}

// Type gives TypeAnnounce.
func (*Announce) Type() Type { return TypeAnnounce }

func (*Announce) name() string { return "ANNOUNCE" }

func (m *Announce) fields(f form) {
	optionalLogin(f, "sender", &m.Sender)
	f.constant(0, 0)
	f.block("announcement", some(true), func(f form) {
		f.flag("may_reply", &m.MayReply)
		f.text("text", &m.Text)
	})
	list(f, "recipients", &m.Recipients, 2, func(f form, s *string) { f.text("", s) })
}
