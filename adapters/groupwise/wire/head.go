package wire

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"
)

// Header is one header line of a request or a response.
type Header struct{ Name, Value string }

// line reads up to a line feed, and gives it without its CRLF; limit bounds its
// length. A line feed alone is taken too.
func (d *decoder) line(limit int) (string, error) {
	var line []byte
	for {
		part, err := d.in.ReadSlice('\n')
		if spent := d.spend(len(part)); spent != nil {
			return "", spent
		}
		if len(line)+len(part) > limit {
			return "", d.fault("a line of more than %d bytes", limit)
		}
		line = append(line, part...)
		switch {
		case err == nil:
			return string(bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r"))), nil
		case errors.Is(err, io.EOF):
			return "", io.ErrUnexpectedEOF
		case !errors.Is(err, bufio.ErrBufferFull):
			return "", err
		}
	}
}

// headers reads header lines and the empty line behind them.
func (d *decoder) headers() ([]Header, error) {
	var headers []Header
	for size := 0; ; {
		line, err := d.line(maxHeader)
		if err != nil {
			return nil, err
		}
		if line == "" {
			return headers, nil
		}
		if size += len(line); size > maxHeader {
			return nil, d.fault("headers of more than %d bytes", maxHeader)
		}
		name, value, found := strings.Cut(line, ":")
		if !found || name == "" || strings.TrimSpace(name) != name {
			return nil, d.fault("the header line %.40q has no name", line)
		}
		headers = append(headers, Header{name, strings.TrimSpace(value)})
	}
}

func headerValue(headers []Header, name string) string {
	for _, h := range headers {
		if strings.EqualFold(h.Name, name) {
			return h.Value
		}
	}
	return ""
}

func appendHeaders(b []byte, headers []Header) []byte {
	for _, h := range headers {
		b = append(b, h.Name+": "+h.Value+"\r\n"...)
	}
	return append(b, "\r\n"...)
}
