package wire

// ChannelCreate opens a channel, from either side.
type ChannelCreate struct {
	// Channel is the number of the new channel, see [ServerChannel].
	Channel  uint32
	Target   IDBlock // empty: the service itself
	Service  Service
	Protocol Protocol
	// Data is the service's own: an [IMOffer], a [ConferenceOffer] or a
	// [ConferenceInvitation].
	Data []byte
	// Creator is who opens it; the server fills it in when it passes the message
	// on.
	Creator    *LoginInfo
	Encryption EncryptOffer
}

// ServerChannel is the bit that numbers of channels have which the server opened.
const ServerChannel uint32 = 1 << 31

// Type gives TypeChannelCreate.
func (*ChannelCreate) Type() Type { return TypeChannelCreate }

func (*ChannelCreate) name() string { return "CHANNEL_CREATE" }

func (m *ChannelCreate) fields(f form) {
	f.constant(0, 0, 0, 0)
	f.u32("new", &m.Channel)
	f.group("target", m.Target.fields)
	f.u32("service", (*uint32)(&m.Service))
	f.u32("protocol", &m.Protocol.Number)
	f.u32("version", &m.Protocol.Version)
	f.constant(0, 0, 0, 0)
	f.opaque("data", &m.Data)
	optionalLogin(f, "creator", &m.Creator)
	m.Encryption.fields(f)
}
