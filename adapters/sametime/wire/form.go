package wire

// form is what a message describes its fields to: a writer, a reader or a tracer.
// Names are those of the trace and of errors.
type form interface {
	u8(name string, v *uint8)
	u16(name string, v *uint16)
	u32(name string, v *uint32)
	flag(name string, v *bool)
	// text is a string with a two-byte length.
	text(name string, v *string)
	// opaque is bytes with a four-byte length.
	opaque(name string, v *[]byte)
	// secret is an opaque that is not to be shown.
	secret(name string, v *[]byte)
	// rest is every byte that is left.
	rest(name string, v *[]byte)
	// group encloses fields that belong together.
	group(name string, fields func(form))
	// block is an opaque that fields describe; it is empty where present is false.
	block(name string, present *bool, fields func(form))
	// marked has an end mark in front of fields.
	marked(fields func(form))
	// count is the four-byte number of a list's items, each of which takes at
	// least so many bytes.
	count(name string, n *int, least int)
	// channel is the header's channel, and encrypted the header's option.
	channel(v *uint32)
	encrypted(v *bool)
	// constant is bytes without a known meaning. A reader skips as many of them
	// as there are.
	constant(bytes ...byte)
	// more tells whether anything is left; a writer and a tracer have always more.
	more() bool
}

// list describes the items of a list.
func list[T any](f form, name string, items *[]T, least int, each func(f form, item *T)) {
	n := len(*items)
	f.count(name, &n, least)
	if n != len(*items) {
		*items = make([]T, n)
	}
	for i := range *items {
		f.group("", func(f form) { each(f, &(*items)[i]) })
	}
}

// some gives whether a block is to be written.
func some(is bool) *bool { return &is }
