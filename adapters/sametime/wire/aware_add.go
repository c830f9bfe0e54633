package wire

// AwareKind is what an [AwareID] names.
type AwareKind uint16

// The kinds.
const (
	AwareUser      AwareKind = 0x0002
	AwareDirectory AwareKind = 0x0003 // a group of the directory
	AwareServer    AwareKind = 0x0008
)

// AwareID names somebody whose presence is watched. Clients compare it byte for
// byte with what they asked for.
type AwareID struct {
	Kind      AwareKind
	ID        string
	Community string
}

func (a *AwareID) fields(f form) {
	f.u16("kind", (*uint16)(&a.Kind))
	f.text("id", &a.ID)
	f.text("community", &a.Community)
}

const (
	kindAwareAdd    = 0x0068
	kindAwareRemove = 0x0069
)

// AwareAdd asks for the presence of people from now on.
type AwareAdd struct{ IDs []AwareID }

// Kind gives 0x0068.
func (*AwareAdd) Kind() uint16 { return kindAwareAdd }

func (*AwareAdd) name() string { return "aware-add" }

func (m *AwareAdd) fields(f form) { awareIDs(f, &m.IDs) }

// AwareRemove asks for the presence of people no more.
type AwareRemove struct{ IDs []AwareID }

// Kind gives 0x0069.
func (*AwareRemove) Kind() uint16 { return kindAwareRemove }

func (*AwareRemove) name() string { return "aware-remove" }

func (m *AwareRemove) fields(f form) { awareIDs(f, &m.IDs) }

func awareIDs(f form, ids *[]AwareID) {
	list(f, "ids", ids, 6, func(f form, a *AwareID) { a.fields(f) })
}
