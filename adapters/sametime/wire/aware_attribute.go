package wire

const (
	kindAwareWatch = 0x00cb
	kindAwareSet   = 0x00c9
	kindAwareUnset = 0x00ca
)

// AwareWatch names every attribute that is asked for from now on.
type AwareWatch struct{ Keys []uint32 }

// Kind gives 0x00cb.
func (*AwareWatch) Kind() uint16 { return kindAwareWatch }

func (*AwareWatch) name() string { return "aware-watch" }

func (m *AwareWatch) fields(f form) {
	f.constant(0, 0, 0, 0)
	list(f, "keys", &m.Keys, 4, func(f form, k *uint32) { f.u32("", k) })
}

// AwareSet sets an attribute of one's own, such as what devices one has.
type AwareSet struct {
	Key   uint32
	Value []byte
}

// Kind gives 0x00c9.
func (*AwareSet) Kind() uint16 { return kindAwareSet }

func (*AwareSet) name() string { return "aware-set" }

func (m *AwareSet) fields(f form) {
	f.constant(0, 0, 0, 0)
	size := uint32(len(m.Value))
	f.u32("size", &size)
	f.constant(0, 0, 0, 0)
	f.u32("key", &m.Key)
	f.opaque("value", &m.Value)
}

// AwareUnset takes an attribute of one's own away.
type AwareUnset struct{ Key uint32 }

// Kind gives 0x00ca.
func (*AwareUnset) Kind() uint16 { return kindAwareUnset }

func (*AwareUnset) name() string { return "aware-unset" }

func (m *AwareUnset) fields(f form) {
	f.constant(0, 0, 0, 0)
	f.u32("key", &m.Key)
}
