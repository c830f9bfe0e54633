package wire

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// ContactList is what a person keeps under [KeyContacts], as text:
//
//	Version=3.1.3
//	G Work2 Work;Mates O
//	U CN=Bob;Smith/O=Acme1:: Bob;Smith,Bobby
//
// A line ends with CR LF; a space in a name or an id is written as a semicolon, so
// that a semicolon is lost.
type ContactList struct{ Groups []ContactGroup }

// ContactGroup is a group of a contact list. Only the first may have no ID: the
// people who stand in front of every group.
type ContactGroup struct {
	ID    string
	Kind  byte // [GroupPrivate] or [GroupDirectory]
	Title string
	Open  bool // shown with its people
	Users []ContactUser
}

// The kinds of group.
const (
	GroupPrivate   byte = '2'
	GroupDirectory byte = '3' // its people stand in the directory
)

// ContactUser is somebody in a contact list.
type ContactUser struct {
	ID    string
	Kind  byte   // [UserInternal] or [UserExternal]
	Name  string // as the directory has it
	Alias string // as the list's owner calls them; may be empty
}

// The kinds of user.
const (
	UserInternal byte = '1'
	UserExternal byte = '2'
)

// ParseContactList reads a contact list. Lines that mean nothing are skipped: a
// list that an old client has left half broken is of more use than none.
func ParseContactList(text string) ContactList {
	var l ContactList
	for line := range strings.SplitSeq(text, "\n") {
		line = strings.TrimSuffix(line, "\r")
		if g, ok := parseGroup(line); ok {
			l.Groups = append(l.Groups, g)
		} else if u, ok := parseUser(line); ok {
			if len(l.Groups) == 0 {
				l.Groups = append(l.Groups, ContactGroup{Kind: GroupPrivate, Open: true})
			}
			last := &l.Groups[len(l.Groups)-1]
			last.Users = append(last.Users, u)
		}
	}
	return l
}

// parseGroup reads "G ID+kind TITLE O|C".
func parseGroup(line string) (ContactGroup, bool) {
	parts := strings.Split(line, " ")
	if len(parts) < 4 || parts[0] != "G" || len(parts[1]) < 2 {
		return ContactGroup{}, false
	}
	id, kind := splitKind(parts[1])
	return ContactGroup{ID: fromList(id), Kind: kind, Title: fromList(parts[2]), Open: parts[3] == "O"}, true
}

// parseUser reads "U ID+kind:: NAME,ALIAS".
func parseUser(line string) (ContactUser, bool) {
	line, is := strings.CutPrefix(line, "U ")
	id, names, found := strings.Cut(line, "::")
	if !is || !found || len(id) < 2 {
		return ContactUser{}, false
	}
	name, alias := strings.TrimPrefix(names, " "), ""
	if comma := strings.LastIndexByte(name, ','); comma >= 0 {
		name, alias = name[:comma], name[comma+1:]
	}
	id, kind := splitKind(id)
	return ContactUser{ID: fromList(id), Kind: kind, Name: fromList(name), Alias: fromList(alias)}, true
}

// splitKind splits the kind off an id. A byte that is none of ASCII is no kind.
func splitKind(text string) (string, byte) {
	kind := text[len(text)-1]
	if kind >= utf8.RuneSelf {
		kind = kindUnknown
	}
	return text[:len(text)-1], kind
}

// kindUnknown is what clients write where they do not know the kind.
const kindUnknown = '9'

// String gives the list as text.
func (l ContactList) String() string {
	b := []byte("Version=3.1.3\r\n")
	for _, g := range l.Groups {
		if g.ID != "" {
			b = fmt.Appendf(b, "G %s%c %s %s\r\n", toList(g.ID), g.Kind, toList(g.Title), map[bool]string{true: "O", false: "C"}[g.Open])
		}
		for _, u := range g.Users {
			b = fmt.Appendf(b, "U %s%c:: %s,%s\r\n", toList(u.ID), u.Kind, toList(u.Name), strings.ReplaceAll(toList(u.Alias), ",", ";"))
		}
	}
	return string(b)
}

var (
	listEscape   = strings.NewReplacer(" ", ";", "\r", ";", "\n", ";")
	listUnescape = strings.NewReplacer(";", " ", "\r", " ")
)

func toList(s string) string   { return listEscape.Replace(s) }
func fromList(s string) string { return listUnescape.Replace(s) }
