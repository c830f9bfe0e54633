package wire

// The requests that change the contact list.
const (
	CommandCreateFolder  = "createfolder"
	CommandCreateContact = "createcontact"
	CommandDeleteContact = "deletecontact" // a folder too
	CommandMoveContact   = "movecontact"
	CommandUpdateItem    = "updateitem" // to rename
)

// CreateEntry is what createfolder and createcontact say.
type CreateEntry struct {
	Parent string
	Name   string
	Person string // a user id, a dotted name or a DN; nobody in a folder
}

// ParseCreateEntry reads a request's fields.
func ParseCreateEntry(fields Fields) CreateEntry {
	e := CreateEntry{Parent: fields.Value(TagParentID), Name: fields.Value(TagDisplayName)}
	if names := ParseNames(fields); len(names) > 0 {
		e.Person = names[0]
	}
	return e
}

// ChangesAnswer gives the fields of the answer to a request that made something
// with the given id: what has become of the list, wrapped, as clients read it by
// position.
func ChangesAnswer(id string, changes ...Field) Fields {
	return Fields{ArrayField(TagResults, ArrayField(TagContactList, changes...), TextField(TagObjectID, id))}
}
