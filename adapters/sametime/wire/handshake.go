package wire

// The protocol's major version, and the minor versions from which fields were
// added.
const (
	Major             uint16 = 0x001e
	Minor             uint16 = 0x001d // what third-party clients state
	minorWithHostName uint16 = 0x001d
	minorWithoutKey   uint16 = 0x0018 // the last whose HANDSHAKE_ACK holds no key
)

// Handshake is the first message of a connection, from the client.
type Handshake struct {
	Major, Minor uint16
	ClientType   uint16
	// Address is the client's own IPv4 address, or 0.
	Address  uint32
	HostName string
}

// Type gives TypeHandshake.
func (*Handshake) Type() Type { return TypeHandshake }

func (*Handshake) name() string { return "HANDSHAKE" }

func (m *Handshake) fields(f form) {
	f.u16("major", &m.Major)
	f.u16("minor", &m.Minor)
	f.constant(0, 0, 0, 0, 0, 0, 0, 0) // master channel; the address as a server sees it
	f.u16("client_type", &m.ClientType)
	f.u32("address", &m.Address)
	if m.Major >= Major && m.Minor >= minorWithHostName && f.more() {
		f.constant(0x01, 0x00, 0, 0, 0, 0)
		f.text("host", &m.HostName)
	}
}
