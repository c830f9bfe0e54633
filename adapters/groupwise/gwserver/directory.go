package gwserver

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"rollcall/adapters/groupwise/wire"
)

// user is somebody in the directory, as they are now.
type user struct {
	User
	dn       string
	list     contactList
	status   wire.Status
	text     string // what the user says of the status
	reply    string // what the server answers in the user's place
	replied  map[*user]bool
	sessions []*session
}

// directory finds users by each of their names.
type directory struct {
	byName map[string]*user
}

func newDirectory(users []User) directory {
	d := directory{make(map[string]*user)}
	for _, u := range users {
		d.add(u)
	}
	for _, u := range users {
		owner := d.find(u.Name)
		for _, e := range u.Contacts {
			person := d.find(e.Person)
			if person == nil {
				panic(fmt.Sprintf("gwserver: %s has the contact %s, who is nobody", u.Name, e.Person))
			}
			owner.list.addEntry(person, e)
		}
	}
	return d
}

func (d directory) add(u User) {
	u.FullName = cmp.Or(u.FullName, strings.TrimSpace(u.GivenName+" "+u.Surname), u.Name)
	entry := &user{User: u, dn: "cn=" + u.Name + "," + Organisation, status: wire.StatusOffline}
	for _, name := range []string{u.Name, entry.dn, wire.DottedName(entry.dn)} {
		d.byName[strings.ToLower(name)] = entry
	}
}

// find gives the user of that user id, DN or dotted name; nil if there is none.
func (d directory) find(name string) *user { return d.byName[strings.ToLower(name)] }

// person gives what others are told of a user. A user without a session is
// offline, whatever they last said.
func (u *user) person() wire.Person {
	p := wire.Person{
		DN: u.dn, Display: u.Name, CommonName: u.Name, GivenName: u.GivenName, Surname: u.Surname, FullName: u.FullName,
		Status: u.shown(), StatusText: u.text,
	}
	if u.Title != "" {
		p.Information = wire.Fields{wire.TextField("Title", u.Title)}
	}
	return p
}

// shown gives the status that others see.
func (u *user) shown() wire.Status {
	if len(u.sessions) == 0 {
		return wire.StatusOffline
	}
	return u.status
}

// contactList is one user's folders and entries, in order.
type contactList struct {
	folders []wire.Folder
	entries []entry
	made    int // ids so far
}

// entry is a person in a contact list.
type entry struct {
	wire.Contact
	person *user
}

func (l *contactList) nextID() string {
	l.made++
	return strconv.Itoa(l.made)
}

func (l *contactList) addEntry(person *user, e Entry) {
	parent := wire.RootFolder
	if e.Folder != "" {
		parent = l.folder(e.Folder).ID
	}
	l.add(person, parent, e.Name)
}

// add puts a person into a folder.
func (l *contactList) add(person *user, parent, name string) entry {
	e := entry{wire.Contact{
		ID: l.nextID(), Parent: parent, Sequence: strconv.Itoa(len(l.entries) + 1), Name: cmp.Or(name, person.FullName), DN: person.dn,
	}, person}
	l.entries = append(l.entries, e)
	return e
}

// folder gives the folder of that name, which is made if there is none.
func (l *contactList) folder(name string) wire.Folder {
	for _, f := range l.folders {
		if f.Name == name {
			return f
		}
	}
	f := wire.Folder{ID: l.nextID(), Parent: wire.RootFolder, Sequence: strconv.Itoa(len(l.folders) + 1), Name: name}
	l.folders = append(l.folders, f)
	return f
}

// shown gives the list as its owner sees it now.
func (l *contactList) shown() wire.ContactList {
	list := wire.ContactList{Folders: l.folders}
	for _, e := range l.entries {
		list.Contacts = append(list.Contacts, e.shown())
	}
	return list
}

func (e entry) shown() wire.Contact {
	c := e.Contact
	details := e.person.person()
	c.Details = &details
	return c
}

// has tells whether a person stands in the list.
func (l *contactList) has(person *user) bool {
	for _, e := range l.entries {
		if e.person == person {
			return true
		}
	}
	return false
}
