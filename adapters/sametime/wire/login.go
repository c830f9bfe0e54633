package wire

// AuthType is how a login proves itself.
type AuthType uint16

// The ways to log in.
const (
	AuthPlain  AuthType = 0x0000 // a [PlainAuth]: the password in the clear
	AuthToken  AuthType = 0x0001 // a token of the directory; its form is not known
	AuthRC2_40 AuthType = 0x0002 // an [RC2Auth], which carries its own key
	AuthRC2DH  AuthType = 0x0004 // a [DHAuth]: sealed with an exchanged key
)

// Login asks to be let in.
type Login struct {
	ClientType uint16
	Name       string
	Auth       []byte // what AuthType says
	AuthType   AuthType
}

// Type gives TypeLogin.
func (*Login) Type() Type { return TypeLogin }

func (*Login) name() string { return "LOGIN" }

func (m *Login) fields(f form) {
	f.u16("client_type", &m.ClientType)
	f.text("name", &m.Name)
	f.secret("auth", &m.Auth)
	f.u16("auth_type", (*uint16)(&m.AuthType))
	f.constant(0, 0)
}

// PlainAuth is the content of [Login].Auth with [AuthPlain].
type PlainAuth struct{ Password string }

func (*PlainAuth) name() string { return "PLAIN" }

func (p *PlainAuth) fields(f form) {
	f.group("", func(f form) { secretText(f, &p.Password) })
}

// secretText is a string that no trace shows.
func secretText(f form, s *string) {
	if t, is := f.(*tracer); is {
		hidden := make([]byte, len(*s))
		t.secret("password", &hidden)
		return
	}
	f.text("password", s)
}

// RC2Auth is the content of [Login].Auth with [AuthRC2_40]: the password,
// encrypted with the key beside it.
type RC2Auth struct{ Key, Sealed []byte }

func (*RC2Auth) name() string { return "RC2_40" }

func (p *RC2Auth) fields(f form) {
	f.secret("key", &p.Key)
	f.secret("sealed", &p.Sealed)
}

// DHAuth is the content of [Login].Auth with [AuthRC2DH]: the client's number of
// the key exchange, and a [SealedPassword], encrypted with the key that both come
// to.
type DHAuth struct{ PublicKey, Sealed []byte }

func (*DHAuth) name() string { return "RC2_DH" }

func (p *DHAuth) fields(f form) {
	f.constant(0, 1)
	f.opaque("public_key", &p.PublicKey)
	f.secret("sealed", &p.Sealed)
}

// SealedPassword is what stands in a [DHAuth] under the encryption.
type SealedPassword struct {
	Magic    uint32 // from the [HandshakeAck]
	Password string
}

func (*SealedPassword) name() string { return "SEALED" }

func (p *SealedPassword) fields(f form) {
	f.u32("magic", &p.Magic)
	secretText(f, &p.Password)
}
