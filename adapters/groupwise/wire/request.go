package wire

import (
	"strconv"
	"strings"
)

// Request is one request of a client.
type Request struct {
	Command string // such as "login"
	Host    string // host:port; with login only
	Fields  Fields // the transaction last
}

// Transaction gives the number that the response has to repeat.
func (r *Request) Transaction() (uint32, bool) { return r.Fields.Number(TagTransaction) }

// Append writes the request behind b:
//
//	POST /command HTTP/1.0
//	Host: host:port
//
//	&tag=T&cmd=M&val=V&type=N…
//
// with CRLF at the end of each line.
func (r *Request) Append(b []byte) []byte {
	b = append(b, "POST /"+r.Command+" HTTP/1.0\r\n"...)
	var headers []Header
	if r.Host != "" {
		headers = []Header{{"Host", r.Host}}
	}
	b = appendHeaders(b, headers)
	b = appendForm(b, r.Fields)
	return append(b, "\r\n"...)
}

// appendForm writes fields as requests have them: an array's children follow its
// field, and its value is their number.
func appendForm(b []byte, fields Fields) []byte {
	for _, f := range fields {
		if !isSent(f) {
			continue
		}
		b = append(b, "&tag="+f.Tag+"&cmd="...)
		b = append(b, methodLetters[f.Method])
		b = append(b, "&val="...)
		switch {
		case f.Type.isArray():
			b = strconv.AppendUint(b, uint64(countSent(f.Fields)), 10)
		case f.Type.isText():
			b = appendEscaped(b, f.Text)
		default:
			b = strconv.AppendUint(b, uint64(f.Number), 10)
		}
		b = append(b, "&type="...)
		b = strconv.AppendUint(b, uint64(f.Type), 10)
		b = appendForm(b, f.Fields)
	}
	return b
}

func isSent(f Field) bool { return f.Method != Ignore && f.Type != Binary }

func countSent(fields Fields) (n int) {
	for _, f := range fields {
		if isSent(f) {
			n++
		}
	}
	return n
}

// request reads one request.
func (d *decoder) request() (*Request, error) {
	d.what = "request"
	line, err := d.line(maxHeader)
	if err != nil {
		return nil, err
	}
	method, rest, _ := strings.Cut(line, " ")
	path, version, _ := strings.Cut(rest, " ")
	command, found := strings.CutPrefix(path, "/")
	if method != "POST" || !found || command == "" || !strings.HasPrefix(version, "HTTP/1.") {
		return nil, d.fault("the request line %.40q", line)
	}
	headers, err := d.headers()
	if err != nil {
		return nil, err
	}
	body, err := d.line(MaxMessage)
	if err != nil {
		return nil, err
	}
	r := &Request{Command: command, Host: headerValue(headers, "Host")}
	r.Fields, err = d.form(body)
	return r, err
}

// form reads the fields of a request's body.
func (d *decoder) form(body string) (Fields, error) {
	if body == "" {
		return nil, nil
	}
	rest, found := strings.CutPrefix(body, "&tag=")
	if !found {
		return nil, d.fault("the body begins with %.20q", body)
	}
	f := form{d: d, rest: strings.Split(rest, "&tag=")}
	return f.take(len(f.rest), 0)
}

// form is the fields of a body in the order they stand there.
type form struct {
	d    *decoder
	rest []string
}

// take gives the next fields, up to count of them on this level.
func (f *form) take(count, depth int) (Fields, error) {
	var fields Fields
	for len(fields) < count && len(f.rest) > 0 {
		field, children, err := f.d.formField(f.rest[0])
		if err != nil {
			return nil, err
		}
		f.rest = f.rest[1:]
		if field.Type.isArray() {
			if depth == maxDepth {
				return nil, f.d.fault("arrays nested deeper than %d", maxDepth)
			}
			if children > len(f.rest) {
				return nil, f.d.fault("%.40s announces %d fields and %d follow", field.Tag, children, len(f.rest))
			}
			if field.Fields, err = f.take(children, depth+1); err != nil {
				return nil, err
			}
			if len(field.Fields) < children {
				return nil, f.d.fault("%.40s announces %d fields and has %d", field.Tag, children, len(field.Fields))
			}
		}
		fields = append(fields, field)
	}
	return fields, nil
}

// formField reads T&cmd=M&val=V&type=N.
func (d *decoder) formField(text string) (field Field, children int, err error) {
	tag, rest, found1 := strings.Cut(text, "&cmd=")
	letter, rest, found2 := strings.Cut(rest, "&val=")
	value, number, found3 := strings.Cut(rest, "&type=")
	kind, err := strconv.ParseUint(number, 10, 8)
	if !found1 || !found2 || !found3 || err != nil || len(letter) != 1 || len(tag) > maxTag {
		return field, 0, d.fault("the field %.40q", text)
	}
	method, known := letterMethods[letter[0]]
	if !known {
		return field, 0, d.fault("%.40s has the unknown method %q", tag, letter)
	}
	field = Field{Tag: tag, Type: Type(kind), Method: method}
	switch {
	case field.Type == typeEnd || field.Type == Binary:
		return field, 0, d.fault("%.40s has the type %d, which no client sends", tag, kind)
	case field.Type.isText():
		if len(value) > 3*MaxString {
			return field, 0, d.fault("%.40s is longer than %d bytes", tag, MaxString)
		}
		field.Text = unescape(value)
		return field, 0, nil
	}
	n, err := strconv.ParseUint(strings.TrimRight(value, "\x00"), 10, 32)
	if err != nil {
		return field, 0, d.fault("%.40s has the value %.20q, which is no number", tag, value)
	}
	if field.Type.isArray() {
		return field, int(min(n, MaxMessage)), nil
	}
	field.Number = uint32(n)
	return field, 0, nil
}
