package wire

import "strings"

// RootFolder is the id of the folder that holds all others.
const RootFolder = "0"

// What NM_A_SZ_TYPE says of an entry of the contact list.
const (
	entryFolder  = "1"
	entryContact = "2"
)

// Folder is a folder of the contact list.
type Folder struct {
	ID, Parent, Sequence, Name string
}

// Contact is one appearance of a person in the contact list. The same person may
// appear in several folders, under several ids.
type Contact struct {
	ID, Parent, Sequence, Name string
	DN                         string
	Details                    *Person // nil where the server leaves them out
}

// ContactList is the folders and contacts of a person.
type ContactList struct {
	Folders  []Folder
	Contacts []Contact
}

// Field gives the folder as it stands in a contact list.
func (f Folder) Field() Field {
	return ArrayField(TagFolder,
		TextField(TagObjectID, f.ID), TextField(TagParentID, f.Parent), TextField(TagType, entryFolder),
		TextField(TagSequence, f.Sequence), TextField(TagDisplayName, f.Name))
}

// Field gives the contact as it stands in a contact list.
func (c Contact) Field() Field {
	f := ArrayField(TagContact,
		TextField(TagObjectID, c.ID), TextField(TagParentID, c.Parent), TextField(TagSequence, c.Sequence),
		TextField(TagType, entryContact), DNField(TagDN, c.DN), TextField(TagDisplayName, c.Name))
	if c.Details != nil {
		f.Fields = append(f.Fields, ArrayField(TagDetails, c.Details.Fields()...))
	}
	return f
}

// Field gives the list as it stands in the answer to a login.
func (l ContactList) Field() Field {
	list := ArrayField(TagContactList)
	for _, f := range l.Folders {
		list.Fields = append(list.Fields, f.Field())
	}
	for _, c := range l.Contacts {
		list.Fields = append(list.Fields, c.Field())
	}
	return list
}

// ParseContactList reads what stands in a contact list; what it does not know it
// leaves out.
func ParseContactList(fields Fields) ContactList {
	var l ContactList
	for _, f := range fields {
		switch {
		case strings.EqualFold(f.Tag, TagFolder):
			l.Folders = append(l.Folders, ParseFolder(f.Fields))
		case strings.EqualFold(f.Tag, TagContact):
			l.Contacts = append(l.Contacts, ParseContact(f.Fields))
		}
	}
	return l
}

// ParseFolder reads a folder's fields.
func ParseFolder(fields Fields) Folder {
	return Folder{
		ID: fields.Value(TagObjectID), Parent: fields.Value(TagParentID),
		Sequence: fields.Value(TagSequence), Name: fields.Value(TagDisplayName),
	}
}

// ParseContact reads a contact's fields.
func ParseContact(fields Fields) Contact {
	c := Contact{
		ID: fields.Value(TagObjectID), Parent: fields.Value(TagParentID), Sequence: fields.Value(TagSequence),
		Name: fields.Value(TagDisplayName), DN: fields.Value(TagDN),
	}
	if f, found := fields.Find(TagDetails); found {
		details := ParsePerson(f.Fields)
		c.Details = &details
	}
	return c
}
