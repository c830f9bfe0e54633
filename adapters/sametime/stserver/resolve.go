package stserver

import (
	"slices"
	"strings"

	"rollcall/adapters/sametime/wire"
)

// notUnique tells that a name stands for several where one was asked for.
const notUnique wire.Reason = 0x80020000

func (c *client) resolve(channel uint32, m wire.ServiceMessage) {
	q, is := m.(*wire.ResolveRequest)
	if !is {
		return
	}
	answer := &wire.ResolveAnswer{Request: q.Request}
	for _, name := range q.Names {
		r := wire.ResolveResult{Name: name, Matches: c.s.matches(name, q.Flags)}
		if len(r.Matches) > 1 && q.Flags&wire.ResolveUnique != 0 {
			r.Code, r.Matches = notUnique, nil
		}
		answer.Results = append(answer.Results, r)
	}
	c.sendService(channel, answer)
}

// matches gives whom a name can stand for: whom it names exactly, else whom it
// begins to name.
func (s *Server) matches(name string, flags uint32) []wire.ResolveMatch {
	var exact, begun []wire.ResolveMatch
	for _, p := range s.people {
		match := wire.ResolveMatch{ID: p.UserID, Name: p.Display, Type: wire.MatchUser}
		switch {
		case name == p.UserID || strings.EqualFold(name, p.Name) || strings.EqualFold(name, p.Display):
			exact = append(exact, match)
		case strings.HasPrefix(strings.ToLower(p.Display), strings.ToLower(name)):
			begun = append(begun, match)
		}
	}
	if len(exact) == 0 {
		exact = begun
	}
	slices.SortFunc(exact, func(a, b wire.ResolveMatch) int { return strings.Compare(a.ID, b.ID) })
	if flags&wire.ResolveFirst != 0 && len(exact) > 1 {
		exact = exact[:1]
	}
	return exact
}
