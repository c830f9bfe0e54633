package wire

// LoginAck tells that the login was taken.
type LoginAck struct {
	Login   LoginInfo
	Privacy PrivacyInfo
	// Status is that of the person's other logins.
	Status UserStatus
}

// Type gives TypeLoginAck.
func (*LoginAck) Type() Type { return TypeLoginAck }

func (*LoginAck) name() string { return "LOGIN_ACK" }

func (m *LoginAck) fields(f form) {
	m.Login.fields(f)
	f.constant(0, 0)
	m.Privacy.fields(f)
	m.Status.fields(f)
}
