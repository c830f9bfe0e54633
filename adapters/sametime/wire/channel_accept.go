package wire

// ChannelAccept answers a [ChannelCreate].
type ChannelAccept struct {
	Channel  uint32
	Service  Service
	Protocol Protocol
	// Data is the service's own: an [IMAnswer].
	Data []byte
	// Acceptor is who accepts; the server fills it in when it passes the message
	// on.
	Acceptor   *LoginInfo
	Encryption EncryptAcceptance
}

// Type gives TypeChannelAccept.
func (*ChannelAccept) Type() Type { return TypeChannelAccept }

func (*ChannelAccept) name() string { return "CHANNEL_ACCEPT" }

func (m *ChannelAccept) fields(f form) {
	f.channel(&m.Channel)
	f.u32("service", (*uint32)(&m.Service))
	f.u32("protocol", &m.Protocol.Number)
	f.u32("version", &m.Protocol.Version)
	f.opaque("data", &m.Data)
	optionalLogin(f, "acceptor", &m.Acceptor)
	m.Encryption.fields(f)
}
