package wire

const kindResolve = 0x0002

// The flags of a [ResolveRequest].
const (
	ResolveUnique uint32 = 0x01 // one match or none
	ResolveFirst  uint32 = 0x02
	ResolveAll    uint32 = 0x04 // search all directories
	ResolveUsers  uint32 = 0x08
	ResolveGroups uint32 = 0x10
)

// ResolveRequest asks whom names stand for.
type ResolveRequest struct {
	Request uint32
	Names   []string
	Flags   uint32
}

// Kind gives 0x0002.
func (*ResolveRequest) Kind() uint16 { return kindResolve }

func (*ResolveRequest) name() string { return "resolve-request" }

func (m *ResolveRequest) fields(f form) {
	f.constant(0, 0, 0, 0)
	f.u32("request", &m.Request)
	list(f, "names", &m.Names, 2, func(f form, s *string) { f.text("", s) })
	f.u32("flags", &m.Flags)
}

// ResolveAnswer answers a [ResolveRequest].
type ResolveAnswer struct {
	Request uint32
	Code    Reason
	Results []ResolveResult
}

// ResolveResult is what one name stands for.
type ResolveResult struct {
	Code    Reason
	Name    string // as it was asked
	Matches []ResolveMatch
}

// The types of a [ResolveMatch].
const (
	MatchUser  uint32 = 1
	MatchGroup uint32 = 2
)

// ResolveMatch is one that a name can stand for.
type ResolveMatch struct {
	ID, Name, Description string
	Type                  uint32
}

// Kind gives 0x0002.
func (*ResolveAnswer) Kind() uint16 { return kindResolve }

func (*ResolveAnswer) name() string { return "resolve-answer" }

func (m *ResolveAnswer) fields(f form) {
	f.constant(0, 0, 0, 0)
	f.u32("request", &m.Request)
	reason(f, &m.Code)
	list(f, "results", &m.Results, 14, func(f form, r *ResolveResult) { r.fields(f) })
}

func (r *ResolveResult) fields(f form) {
	f.constant(0, 0, 0, 0)
	reason(f, &r.Code)
	f.text("name", &r.Name)
	list(f, "matches", &r.Matches, 10, func(f form, m *ResolveMatch) {
		f.text("id", &m.ID)
		f.text("name", &m.Name)
		f.text("description", &m.Description)
		f.u32("type", &m.Type)
	})
}
