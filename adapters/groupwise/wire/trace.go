package wire

import (
	"fmt"
	"strconv"
	"strings"
)

// Traces are for people and for tests. They never show a password.

// String gives the request as one line, such as
//
//	> login USERID=alice CREDENTIALS=(hidden) TRANSACTION_ID=1
func (r *Request) String() string { return "> " + r.Command + traceFields(r.Fields) }

// String gives the response as one line, such as
//
//	< 200 RESULT_CODE=0 TRANSACTION_ID=1
func (r *Response) String() string {
	return fmt.Sprintf("< %d%s", r.Status, traceFields(r.Fields))
}

// String gives the event as one line, such as
//
//   - typing cn=bob,o=acme in [0000000A-0000000B-0000000C-0001-0001]
func (e *Event) String() string {
	parts := layouts[e.Type].parts
	text := "* " + e.Type.String() + " " + e.Source
	if parts&partGUID != 0 {
		text += " in " + string(e.GUID)
	}
	if parts&partFlags != 0 && e.Flags != 0 {
		text += fmt.Sprintf(" flags %#x", e.Flags)
	}
	if parts&partStatus != 0 {
		text += fmt.Sprintf(" status %d", e.Status)
	}
	if parts&partText != 0 {
		text += " " + strconv.Quote(e.Text)
	}
	return text
}

func traceFields(fields Fields) string {
	var b strings.Builder
	for _, f := range fields {
		b.WriteString(" " + traceField(f))
	}
	return b.String()
}

func traceField(f Field) string {
	name := strings.TrimPrefix(f.Tag, "NM_A_")
	if len(name) > 3 && name[2] == '_' && name != f.Tag {
		name = name[3:] // the type's letters
	}
	if method := f.Method.String(); method != "" {
		name += "(" + method + ")"
	}
	switch {
	case f.Type.isArray():
		return name + "{" + strings.TrimPrefix(traceFields(f.Fields), " ") + "}"
	case strings.EqualFold(f.Tag, TagCredentials):
		return name + "=(hidden)"
	case f.Type.isText():
		return name + "=" + traceText(f.Text)
	}
	return name + ":" + strconv.FormatUint(uint64(f.Number), 10)
}

// traceText quotes what would not be readable as it is.
func traceText(text string) string {
	quoted := strconv.Quote(text)
	if text == "" || strings.ContainsAny(text, " {}=") || quoted != `"`+text+`"` {
		return quoted
	}
	return text
}
