package wire

import (
	"strconv"
	"strings"
)

// Field is one field of a request or a response.
type Field struct {
	Tag    string
	Type   Type
	Method Method
	Text   string // of Text and DN
	Number uint32 // of what is neither text nor an array
	Fields Fields // of Array and MultiValue
}

// Fields are the fields of a message or an array, in order.
type Fields []Field

// TextField gives a plain text field.
func TextField(tag, value string) Field { return Field{Tag: tag, Type: Text, Text: value} }

// DNField gives a field with a person's name.
func DNField(tag, dn string) Field { return Field{Tag: tag, Type: DN, Text: dn} }

// NumberField gives a field with a number.
func NumberField(tag string, n uint32) Field { return Field{Tag: tag, Type: Number, Number: n} }

// ArrayField gives a field that holds fields.
func ArrayField(tag string, fields ...Field) Field {
	return Field{Tag: tag, Type: Array, Fields: fields}
}

// With gives the field with another method.
func (f Field) With(m Method) Field {
	f.Method = m
	return f
}

// Value gives the field's value as text: a number in decimal, the first of
// several values. Nothing for an array.
func (f Field) Value() string {
	switch {
	case f.Type.isText():
		return f.Text
	case f.Type == MultiValue && len(f.Fields) > 0 && f.Fields[0].Type.isText():
		return f.Fields[0].Text
	case f.Type.isArray():
		return ""
	}
	return strconv.FormatUint(uint64(f.Number), 10)
}

// Find gives the first field with that tag, whose ASCII case does not matter.
func (fs Fields) Find(tag string) (Field, bool) {
	for _, f := range fs {
		if strings.EqualFold(f.Tag, tag) {
			return f, true
		}
	}
	return Field{}, false
}

// Value gives the value of the first field with that tag, see [Field.Value];
// nothing if there is none.
func (fs Fields) Value(tag string) string {
	f, found := fs.Find(tag)
	if !found {
		return ""
	}
	return f.Value()
}

// Number gives the number in the first field with that tag, also where it is
// written as text; ok is false if there is none.
func (fs Fields) Number(tag string) (n uint32, ok bool) {
	f, found := fs.Find(tag)
	if !found {
		return 0, false
	}
	v, err := strconv.ParseUint(strings.TrimSpace(f.Value()), 10, 32)
	return uint32(v), err == nil
}

// Array gives what the first field with that tag holds, if it is an array.
func (fs Fields) Array(tag string) Fields {
	f, _ := fs.Find(tag)
	return f.Fields
}

// Values gives the value of every field with that tag.
func (fs Fields) Values(tag string) []string {
	var values []string
	for _, f := range fs {
		if strings.EqualFold(f.Tag, tag) {
			values = append(values, f.Value())
		}
	}
	return values
}
