package wire

// LoginContinue answers a [LoginRedirect]: the client stays, and this server shall
// pass everything on. A second [HandshakeAck] and a [LoginAck] follow.
type LoginContinue struct{}

// Type gives TypeLoginContinue.
func (*LoginContinue) Type() Type { return TypeLoginContinue }

func (*LoginContinue) name() string { return "LOGIN_CONTINUE" }

func (*LoginContinue) fields(form) {}
