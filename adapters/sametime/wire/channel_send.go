package wire

// ChannelSend carries a service message.
type ChannelSend struct {
	Channel   uint32
	Encrypted bool   // Data is encrypted as the channel's sides agreed
	Kind      uint16 // of the service message
	Data      []byte
}

// Type gives TypeChannelSend.
func (*ChannelSend) Type() Type { return TypeChannelSend }

func (*ChannelSend) name() string { return "CHANNEL_SEND" }

func (m *ChannelSend) fields(f form) {
	f.channel(&m.Channel)
	f.encrypted(&m.Encrypted)
	f.u16("kind", &m.Kind)
	f.opaque("data", &m.Data)
}
