package groupwise

import (
	"strings"

	"rollcall/adapters/groupwise/wire"
)

// maxStrangers is how many people outside of the roster are remembered; above it,
// strangers go by their DN.
const maxStrangers = 4096

// person is somebody the session has to do with.
type person struct {
	dn      string
	address string // the display id
	name    string
	talk    *talk // the conversation of two with them; nil if there is none
}

// people finds them by DN and by address, whose case does not matter.
type people struct {
	byDN, byAddress map[string]*person
	own             string // the session's own DN
	strangers       int    // among them
}

func newPeople() people {
	return people{byDN: make(map[string]*person), byAddress: make(map[string]*person)}
}

func (ps people) isOwn(dn string) bool { return strings.EqualFold(dn, ps.own) }

func fold(name string) string { return strings.ToLower(name) }

// learn notes somebody's details, and gives the person. Where two people have the
// same display id, the second is addressed by the DN with dots.
func (ps people) learn(p wire.Person, name string) *person {
	if known := ps.byDN[fold(p.DN)]; known != nil {
		return known
	}
	address := clean(p.DisplayID())
	if ps.byAddress[fold(address)] != nil {
		address = clean(wire.DottedName(p.DN))
	}
	made := &person{dn: p.DN, address: address, name: clean(name)}
	if ps.byAddress[fold(address)] == nil {
		ps.byAddress[fold(address)] = made
	}
	ps.byDN[fold(p.DN)] = made
	return made
}

// stranger gives somebody of whom only the DN is known.
func (ps *people) stranger(dn string) *person {
	return ps.meet(wire.Person{DN: dn})
}

// meet learns of somebody outside of the roster.
func (ps *people) meet(p wire.Person) *person {
	if known := ps.byDN[fold(p.DN)]; known != nil {
		return known
	}
	if ps.strangers >= maxStrangers {
		dotted := clean(wire.DottedName(p.DN))
		return &person{dn: p.DN, address: dotted, name: dotted}
	}
	ps.strangers++
	return ps.learn(p, p.Name())
}

// clean makes what a server says fit for everybody else.
func clean(text string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\ufffd"), "\x00", "")
}
