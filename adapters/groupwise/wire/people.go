package wire

import (
	"cmp"
	"strconv"
	"strings"
)

// Person is what a server tells of somebody.
type Person struct {
	DN         string
	Display    string // the display id where the directory has one
	CommonName string
	GivenName  string
	Surname    string
	FullName   string
	Status     Status
	StatusText string
	// Information are further attributes to show.
	Information Fields
}

// Fields gives what stands in details, or flat in the answer to a login.
func (p Person) Fields() Fields {
	fields := Fields{DNField(TagDN, p.DN)}
	for _, f := range []Field{
		TextField(TagDisplayID, p.Display), TextField(TagCommonName, p.CommonName), TextField(TagGivenName, p.GivenName),
		TextField(TagSurname, p.Surname), TextField(TagFullName, p.FullName),
		TextField(TagStatus, strconv.Itoa(int(p.Status))), TextField(TagMessageBody, p.StatusText),
	} {
		if f.Text != "" {
			fields = append(fields, f)
		}
	}
	if len(p.Information) > 0 {
		fields = append(fields, ArrayField(TagInformation, p.Information...))
	}
	return fields
}

// ParsePerson reads details.
func ParsePerson(fields Fields) Person {
	return Person{
		DN: fields.Value(TagDN), Display: fields.Value(TagDisplayID), CommonName: fields.Value(TagCommonName),
		GivenName: fields.Value(TagGivenName), Surname: fields.Value(TagSurname), FullName: fields.Value(TagFullName),
		Status: parseStatus(fields.Value(TagStatus)), StatusText: fields.Value(TagMessageBody),
		Information: fields.Array(TagInformation),
	}
}

// DisplayID gives the name that people see and type: the directory's, or the DN
// with dots.
func (p Person) DisplayID() string { return cmp.Or(p.Display, DottedName(p.DN)) }

// Name gives what the person is called in full, as far as it is known.
func (p Person) Name() string {
	return cmp.Or(p.FullName, strings.TrimSpace(p.GivenName+" "+p.Surname), p.CommonName, p.DisplayID())
}

// DottedName gives a DN without the types of its parts, and dots between them:
// cn=bob,ou=staff,o=acme is bob.staff.acme.
func DottedName(dn string) string {
	parts := strings.Split(dn, ",")
	for i, part := range parts {
		if _, value, found := strings.Cut(part, "="); found {
			part = value
		}
		parts[i] = strings.TrimSpace(part)
	}
	return strings.Join(parts, ".")
}

// CommandGetDetails asks for the details of people. A name may be a user id, a
// dotted name or a DN, under either tag.
const CommandGetDetails = "getdetails"

// GetDetails gives a getdetails request's fields.
func GetDetails(dns ...string) Fields {
	var fields Fields
	for _, dn := range dns {
		fields = append(fields, TextField(TagDN, dn))
	}
	return fields
}

// ParseNames reads the names in a getdetails or getstatus request.
func ParseNames(fields Fields) []string {
	return append(fields.Values(TagUserID), fields.Values(TagDN)...)
}

// DetailsAnswer gives the fields of the answer to getdetails.
func DetailsAnswer(people ...Person) Fields {
	var fields Fields
	for _, p := range people {
		fields = append(fields, ArrayField(TagResults, p.Fields()...))
	}
	return fields
}

// ParseDetails reads the answer to getdetails.
func ParseDetails(fields Fields) []Person {
	var people []Person
	for _, f := range fields {
		if strings.EqualFold(f.Tag, TagResults) {
			people = append(people, ParsePerson(f.Fields))
		}
	}
	return people
}

// CommandGetStatus asks for one person's status.
const CommandGetStatus = "getstatus"

// StatusAnswer gives the fields of the answer to getstatus.
func StatusAnswer(s Status) Fields {
	return Fields{TextField(TagStatus, strconv.Itoa(int(s)))}
}
