package wire

const (
	kindAwareSnapshot = 0x01f4
	kindAwareUpdate   = 0x01f5
	kindAwareGroup    = 0x01f6
)

// AwareEntry is the presence of somebody who is watched.
type AwareEntry struct {
	ID     AwareID
	Group  string // the watched group whose member it is; empty where it was watched itself
	Online bool
	// The rest only if Online.
	Alternate string
	Status    UserStatus
	Name      string
}

func (e *AwareEntry) fields(f form) {
	f.marked(func(f form) {
		e.ID.fields(f)
		f.text("group", &e.Group)
		f.flag("online", &e.Online)
		if e.Online {
			f.text("alternate", &e.Alternate)
			e.Status.fields(f)
			f.text("name", &e.Name)
		}
	})
}

// AwareSnapshot answers an [AwareAdd] with everybody in it.
type AwareSnapshot struct{ Entries []AwareEntry }

// Kind gives 0x01f4.
func (*AwareSnapshot) Kind() uint16 { return kindAwareSnapshot }

func (*AwareSnapshot) name() string { return "aware-snapshot" }

func (m *AwareSnapshot) fields(f form) {
	list(f, "entries", &m.Entries, 13, func(f form, e *AwareEntry) { e.fields(f) })
}

// AwareUpdate tells that somebody's presence has changed.
type AwareUpdate struct{ Entry AwareEntry }

// Kind gives 0x01f5.
func (*AwareUpdate) Kind() uint16 { return kindAwareUpdate }

func (*AwareUpdate) name() string { return "aware-update" }

func (m *AwareUpdate) fields(f form) { m.Entry.fields(f) }

// AwareGroup tells that a group is watched from now on.
type AwareGroup struct{ ID AwareID }

// Kind gives 0x01f6.
func (*AwareGroup) Kind() uint16 { return kindAwareGroup }

func (*AwareGroup) name() string { return "aware-group" }

func (m *AwareGroup) fields(f form) { m.ID.fields(f) }
