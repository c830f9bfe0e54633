package gwserver

import (
	"slices"

	"rollcall/adapters/groupwise/wire"
)

func (s *Server) createFolder(c *session, fields wire.Fields) (wire.Fields, wire.Code) {
	list := &c.user.list
	e := wire.ParseCreateEntry(fields)
	if e.Name == "" {
		return nil, wire.DirectoryUpdate
	}
	before := len(list.folders)
	f := list.folder(e.Name)
	if len(list.folders) == before {
		return nil, wire.DuplicateFolder
	}
	return wire.ChangesAnswer(f.ID, f.Field().With(wire.Add)), wire.OK
}

func (s *Server) createContact(c *session, fields wire.Fields) (wire.Fields, wire.Code) {
	list := &c.user.list
	e := wire.ParseCreateEntry(fields)
	person := s.directory.find(e.Person)
	switch {
	case person == nil:
		return nil, wire.UserNotFound
	case person == c.user:
		return nil, wire.UserNotAllowed
	case !list.hasFolder(e.Parent):
		return nil, wire.ObjectNotFound
	case slices.ContainsFunc(list.entries, func(old entry) bool { return old.person == person && old.Parent == e.Parent }):
		return nil, wire.DuplicateContact
	}
	made := list.add(person, e.Parent, e.Name)
	return wire.ChangesAnswer(made.ID, made.shown().Field().With(wire.Add)), wire.OK
}

// deleteContact removes an entry, or a folder with all that is in it.
func (s *Server) deleteContact(c *session, fields wire.Fields) (wire.Fields, wire.Code) {
	list := &c.user.list
	id := fields.Value(wire.TagObjectID)
	var changes []wire.Field
	list.entries = slices.DeleteFunc(list.entries, func(e entry) bool {
		gone := e.ID == id || e.Parent == id
		if gone {
			changes = append(changes, e.Field().With(wire.Delete))
		}
		return gone
	})
	list.folders = slices.DeleteFunc(list.folders, func(f wire.Folder) bool {
		if f.ID == id {
			changes = append(changes, f.Field().With(wire.Delete))
		}
		return f.ID == id
	})
	if len(changes) == 0 {
		return nil, wire.ObjectNotFound
	}
	return wire.ChangesAnswer(id, changes...), wire.OK
}

func (s *Server) moveContact(c *session, fields wire.Fields) (wire.Fields, wire.Code) {
	list := &c.user.list
	e := list.entry(wire.ParseContactList(fields.Array(wire.TagContactList)))
	parent := fields.Value(wire.TagParentID)
	if e == nil || !list.hasFolder(parent) {
		return nil, wire.ObjectNotFound
	}
	before := e.Field().With(wire.Delete)
	e.Parent = parent
	return wire.ChangesAnswer(e.ID, before, e.shown().Field().With(wire.Add)), wire.OK
}

// updateItem gives an entry or a folder another name: the request has it as it
// was, and then as it shall be.
func (s *Server) updateItem(c *session, fields wire.Fields) (wire.Fields, wire.Code) {
	list := &c.user.list
	changes := wire.ParseContactList(fields.Array(wire.TagContactList))
	if e := list.entry(changes); e != nil {
		e.Name = changes.Contacts[len(changes.Contacts)-1].Name
		return nil, wire.OK
	}
	for i, f := range list.folders {
		if len(changes.Folders) > 0 && f.ID == changes.Folders[0].ID {
			list.folders[i].Name = changes.Folders[len(changes.Folders)-1].Name
			return nil, wire.OK
		}
	}
	return nil, wire.ObjectNotFound
}

// entry gives the entry that changes begin with; nil if there is none.
func (l *contactList) entry(changes wire.ContactList) *entry {
	for i, e := range l.entries {
		if len(changes.Contacts) > 0 && e.ID == changes.Contacts[0].ID {
			return &l.entries[i]
		}
	}
	return nil
}

func (l *contactList) hasFolder(id string) bool {
	return id == wire.RootFolder || slices.ContainsFunc(l.folders, func(f wire.Folder) bool { return f.ID == id })
}
