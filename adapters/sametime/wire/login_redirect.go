package wire

// LoginRedirect tells a client whose password was right that the person's home is
// on another server.
type LoginRedirect struct {
	Host string
	// Server is the other server's id; older servers have a number there.
	Server []byte
}

// Type gives TypeLoginRedirect.
func (*LoginRedirect) Type() Type { return TypeLoginRedirect }

func (*LoginRedirect) name() string { return "LOGIN_REDIRECT" }

func (m *LoginRedirect) fields(f form) {
	f.text("host", &m.Host)
	f.rest("server", &m.Server)
}
