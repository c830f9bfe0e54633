package wire

// HandshakeAck answers a [Handshake], and a [LoginContinue].
type HandshakeAck struct {
	Major, Minor uint16
	// Address is the client's IPv4 address as the server sees it.
	Address uint32
	// Magic is a random number to be sealed with the password.
	Magic uint32
	// PublicKey is the server's number of the key exchange; clients take one of
	// less than 64 bytes for none.
	PublicKey []byte
}

// Type gives TypeHandshakeAck.
func (*HandshakeAck) Type() Type { return TypeHandshakeAck }

func (*HandshakeAck) name() string { return "HANDSHAKE_ACK" }

func (m *HandshakeAck) fields(f form) {
	f.u16("major", &m.Major)
	f.u16("minor", &m.Minor)
	f.u32("address", &m.Address)
	if m.Major >= Major && m.Minor > minorWithoutKey && f.more() {
		f.u32("magic", &m.Magic)
		f.opaque("public_key", &m.PublicKey)
	}
}
