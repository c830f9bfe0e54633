package xmpp

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

// errStreamEnd tells that the server has closed its stream in the proper way.
var errStreamEnd = errors.New("the server closed the stream")

// xmlError is something that may not stand in an XMPP stream, RFC 6120 section
// 11.
type xmlError struct{ problem string }

func (e *xmlError) Error() string { return "the server's XML is not taken: " + e.problem }

// streamReader reads one direction of an XML stream, element by element. Each
// stanza gets a decoder of its own, so that a session that waits holds none.
type streamReader struct {
	in     input
	limit  int    // bytes in one element
	header []byte // the stream's start tag as a decoder is told of it
}

func newStreamReader(from io.Reader) *streamReader {
	return &streamReader{in: input{from: from}, limit: maxUnauthBytes}
}

// open reads the stream's start tag and gives its attributes.
func (r *streamReader) open() (*element, error) {
	if err := r.begin(func() {}); err != nil {
		return nil, err
	}
	r.in.prefix, r.in.budget = nil, r.limit
	d := xml.NewDecoder(&r.in)
	for {
		token, err := d.RawToken()
		if err != nil {
			return nil, r.fault(err)
		}
		switch token := token.(type) {
		case xml.ProcInst:
			if token.Target != "xml" {
				return nil, &xmlError{"a processing instruction"}
			}
		case xml.CharData:
			if strings.TrimSpace(string(token)) != "" {
				return nil, &xmlError{"text in front of the stream"}
			}
		case xml.StartElement:
			r.in.release()
			return r.opened(token)
		default:
			return nil, &xmlError{fmt.Sprintf("%T in front of the stream", token)}
		}
	}
}

// opened checks the start tag and keeps the name spaces that it declares.
func (r *streamReader) opened(tag xml.StartElement) (*element, error) {
	spaces := map[string]string{}
	root := &element{attrs: tag.Attr}
	var header strings.Builder
	header.WriteString("<" + rawName(tag.Name))
	for _, a := range tag.Attr {
		switch {
		case a.Name.Space == "xmlns":
			spaces[a.Name.Local] = a.Value
		case a.Name.Space == "" && a.Name.Local == "xmlns":
			spaces[""] = a.Value
		default:
			continue
		}
		fmt.Fprintf(&header, ` %s="%s"`, rawName(a.Name), escape(a.Value))
	}
	root.name = xml.Name{Space: spaces[tag.Name.Space], Local: tag.Name.Local}
	if !root.is(nsStream, "stream") || spaces[""] != nsClient {
		return nil, &xmlError{"it is not a client's stream; is an XMPP server listening there?"}
	}
	r.header = []byte(header.String() + ">")
	return root, nil
}

func rawName(n xml.Name) string {
	if n.Space == "" {
		return n.Local
	}
	return n.Space + ":" + n.Local
}

// begin waits for the first byte of something, which can only be a tag.
func (r *streamReader) begin(heard func()) error {
	if err := r.in.skipSpace(heard); err != nil {
		return err
	}
	if r.in.rest[0] != '<' {
		return &xmlError{fmt.Sprintf("text where a tag is due: %.20q; is an XMPP server listening there?", r.in.rest)}
	}
	return nil
}

// next waits for the next element and gives it, errStreamEnd where the server
// ends the stream. heard is called each time the server said anything that is
// complete.
func (r *streamReader) next(heard func()) (*element, error) {
	if err := r.begin(heard); err != nil {
		return nil, err
	}
	r.in.prefix, r.in.budget = r.header, r.limit
	d := xml.NewDecoder(&r.in)
	if _, err := d.Token(); err != nil {
		return nil, r.fault(err)
	}
	e, err := (&assembly{decoder: d}).element()
	if err != nil {
		return nil, r.fault(err)
	}
	r.in.release()
	heard()
	return e, nil
}

// fault gives the reason behind what the decoder makes of it.
func (r *streamReader) fault(err error) error {
	var syntax *xml.SyntaxError
	switch {
	case r.in.err != nil && len(r.in.rest) == 0:
		return r.in.err
	case r.in.budget <= 0:
		return errTooBig
	case errors.As(err, &syntax):
		return &xmlError{syntax.Msg}
	}
	return err
}

// assembly makes one element of a decoder's tokens.
type assembly struct {
	decoder *xml.Decoder
	open    []*element // from the outermost in
	texts   [][]byte   // of each open element, so far
	parts   int        // elements and pieces of text so far
}

func (a *assembly) element() (*element, error) {
	for {
		token, err := a.decoder.Token()
		if err != nil {
			return nil, err
		}
		switch token := token.(type) {
		case xml.StartElement:
			if err := a.start(token); err != nil {
				return nil, err
			}
		case xml.EndElement:
			if len(a.open) == 0 {
				return nil, errStreamEnd
			}
			if e := a.end(); len(a.open) == 0 {
				return e, nil
			}
		case xml.CharData:
			if err := a.chars(token); err != nil {
				return nil, err
			}
		default:
			return nil, &xmlError{"a comment, a processing instruction or a document type"}
		}
	}
}

func (a *assembly) start(token xml.StartElement) error {
	if a.parts++; a.parts > maxStanzaParts || len(a.open) == maxStanzaDepth {
		return errTooBig
	}
	e := &element{name: token.Name, attrs: token.Attr}
	if n := len(a.open); n > 0 {
		a.open[n-1].children = append(a.open[n-1].children, e)
	}
	a.open, a.texts = append(a.open, e), append(a.texts, nil)
	return nil
}

func (a *assembly) chars(text []byte) error {
	n := len(a.texts)
	if n == 0 {
		return &xmlError{"text between stanzas"}
	}
	if a.parts++; a.parts > maxStanzaParts {
		return errTooBig
	}
	a.texts[n-1] = append(a.texts[n-1], text...)
	return nil
}

// end closes the innermost open element and gives it.
func (a *assembly) end() *element {
	n := len(a.open) - 1
	e := a.open[n]
	e.text = string(a.texts[n])
	a.open, a.texts = a.open[:n], a.texts[:n]
	return e
}
