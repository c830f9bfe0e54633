package wire

import "fmt"

// Type says how a field's value is written.
type Type uint8

// The types in use. Other numbers are read as a [Number] is.
const (
	typeEnd    Type = 0 // ends the top level of a response
	Binary     Type = 2
	Number     Type = 8
	Array      Type = 9
	Text       Type = 10
	Bool       Type = 11
	MultiValue Type = 12 // an array of one attribute's values
	DN         Type = 13 // written as Text is
)

func (t Type) isArray() bool { return t == Array || t == MultiValue }

func (t Type) isText() bool { return t == Text || t == DN }

// Method says what is to be done with a field. Responses carry its number,
// requests its letter.
type Method uint8

// The methods.
const (
	Valid          Method = 0
	Ignore         Method = 1 // not sent at all
	Delete         Method = 2
	DeleteAll      Method = 3
	Equal          Method = 4
	Add            Method = 5
	Update         Method = 6
	GreaterOrEqual Method = 10
	LessOrEqual    Method = 12
	NotEqual       Method = 14
	Exists         Method = 15
	NotExists      Method = 16
	Contains       Method = 17
	Begins         Method = 19
	Ends           Method = 20
	Not            Method = 40
	Or             Method = 41
	And            Method = 42
)

var methodLetters = map[Method]byte{
	Valid: '0', Add: '1', Delete: '2', DeleteAll: '3', And: '4', Or: '5', Not: '6', Ends: '7', Begins: '8',
	Contains: '9', NotExists: 'A', Exists: 'B', NotEqual: 'C', LessOrEqual: 'D', GreaterOrEqual: 'E', Update: 'F', Equal: 'G',
}

var letterMethods = func() map[byte]Method {
	methods := make(map[byte]Method, len(methodLetters))
	for m, letter := range methodLetters {
		methods[letter] = m
	}
	return methods
}()

var methodNames = map[Method]string{
	Valid: "", Delete: "delete", DeleteAll: "delete-all", Equal: "equal", Add: "add", Update: "update",
	GreaterOrEqual: "greater-or-equal", LessOrEqual: "less-or-equal", NotEqual: "not-equal", Exists: "exists",
	NotExists: "not-exists", Contains: "contains", Begins: "begins", Ends: "ends", Not: "not", Or: "or", And: "and",
}

// String gives the method's printed name, such as "add"; nothing for a plain
// field.
func (m Method) String() string {
	if name, known := methodNames[m]; known {
		return name
	}
	return fmt.Sprintf("method-%d", uint8(m))
}
