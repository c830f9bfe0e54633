package wire

// ChannelDestroy closes a channel, or refuses one; on the master channel it ends
// the login. It is not answered.
type ChannelDestroy struct {
	Channel uint32
	Reason  Reason
	Data    []byte // the service's own
}

// Type gives TypeChannelDestroy.
func (*ChannelDestroy) Type() Type { return TypeChannelDestroy }

func (*ChannelDestroy) name() string { return "CHANNEL_DESTROY" }

func (m *ChannelDestroy) fields(f form) {
	f.channel(&m.Channel)
	reason(f, &m.Reason)
	if f.more() {
		f.opaque("data", &m.Data)
	}
}
