package wire

import (
	"fmt"
	"strconv"
	"strings"
)

// statusOK is the only status of a response that has been understood.
const statusOK = 200

// Response is a server's answer to one request.
type Response struct {
	Status  int // 200 unless the server itself is at fault; 301 points elsewhere
	Headers []Header
	Fields  Fields // the result and the transaction last
}

// Respond gives the answer to the request with that transaction.
func Respond(transaction uint32, result Code, fields ...Field) *Response {
	return &Response{Status: statusOK, Fields: append(Fields(fields),
		TextField(TagResult, strconv.FormatUint(uint64(result), 10)),
		TextField(TagTransaction, strconv.FormatUint(uint64(transaction), 10)))}
}

// Transaction gives the number of the request that this answers.
func (r *Response) Transaction() (uint32, bool) { return r.Fields.Number(TagTransaction) }

// Result gives the result code; ok is false where there is none that can be
// read. Real servers write it as decimal text; a number is taken too.
func (r *Response) Result() (code Code, ok bool) {
	n, ok := r.Fields.Number(TagResult)
	return Code(n), ok
}

// Redirected gives the address that a redirect points to, as host or host:port;
// empty where it is none or does not say. What a real server writes there is not
// known: each place where it may stand is looked at.
func (r *Response) Redirected() string {
	if r.Status != 301 {
		return ""
	}
	if location := headerValue(r.Headers, "Location"); location != "" {
		_, rest, found := strings.Cut(location, "://")
		if found {
			location = rest
		}
		host, _, _ := strings.Cut(location, "/")
		return host
	}
	host, port := r.Fields.Value(TagAddress), r.Fields.Value(TagPort)
	if host != "" && port != "" {
		return host + ":" + port
	}
	return host
}

// Append writes the response behind b.
func (r *Response) Append(b []byte) []byte {
	b = fmt.Appendf(b, "HTTP/1.0 %03d\r\n", r.Status)
	b = appendHeaders(b, r.Headers)
	for _, f := range r.Fields {
		b = appendField(b, f)
	}
	return append(b, byte(typeEnd))
}

// response reads what follows the letters HTTP.
func (d *decoder) response() (*Response, error) {
	d.what = "response"
	line, err := d.line(maxHeader)
	if err != nil {
		return nil, err
	}
	version, rest, _ := strings.Cut(line, " ")
	digits, _, _ := strings.Cut(strings.TrimLeft(rest, " "), " ")
	status, err := strconv.ParseUint(digits, 10, 16)
	if !strings.HasPrefix(version, "/") || err != nil || len(digits) != 3 {
		return nil, d.fault("the status line HTTP%.40q", line)
	}
	r := &Response{Status: int(status)}
	if r.Headers, err = d.headers(); err != nil {
		return nil, err
	}
	r.Fields, err = d.topLevel()
	return r, err
}
