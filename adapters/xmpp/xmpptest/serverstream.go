package xmpptest

import (
	"bufio"
	"crypto/rand"
	"crypto/tls"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"net"
	"strings"
)

// The name spaces that the double knows.
const (
	nsStream  = "http://etherx.jabber.org/streams"
	nsStreams = "urn:ietf:params:xml:ns:xmpp-streams"
	nsStanzas = "urn:ietf:params:xml:ns:xmpp-stanzas"
	nsTLS     = "urn:ietf:params:xml:ns:xmpp-tls"
	nsSASL    = "urn:ietf:params:xml:ns:xmpp-sasl"
	nsBind    = "urn:ietf:params:xml:ns:xmpp-bind"
	nsClient  = "jabber:client"
	nsRoster  = "jabber:iq:roster"
	nsPing    = "urn:xmpp:ping"
	nsSM      = "urn:xmpp:sm:3"
	nsDelay   = "urn:xmpp:delay"
)

// stream is one connection, up to the session that it carries.
type stream struct {
	server  *Server
	conn    net.Conn
	in      *bufio.Reader
	decoder *xml.Decoder
	secured bool
	name    string   // of the user who has authenticated
	session *session // once one is bound or resumed
	clean   bool     // the client has closed its stream
}

// element is something on the top level of a stream.
type element struct {
	XMLName xml.Name
	Attrs   []xml.Attr `xml:",any,attr"`
	Inner   string     `xml:",innerxml"`
}

func (e *element) attr(name string) string {
	for _, a := range e.Attrs {
		if a.Name.Space == "" && a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// child gives the first child of that name; nil if there is none.
func (e *element) child(space, local string) *element {
	d := xml.NewDecoder(strings.NewReader("<a xmlns='" + e.XMLName.Space + "'>" + e.Inner + "</a>"))
	var all struct {
		Children []element `xml:",any"`
	}
	if d.Decode(&all) != nil {
		return nil
	}
	for i, c := range all.Children {
		if c.XMLName.Local == local && c.XMLName.Space == space {
			return &all.Children[i]
		}
	}
	return nil
}

// errOver ends a stream in good order.
var errOver = errors.New("the stream is over")

func serveStream(server *Server, conn net.Conn) {
	s := &stream{server: server, conn: conn, in: bufio.NewReaderSize(conn, 1024)}
	err := s.open()
	for err == nil {
		var e *element
		if e, err = s.next(); err == nil {
			err = s.handle(e)
		}
	}
	if s.session != nil {
		server.lost(s.session, s)
	}
	if s.clean {
		_ = s.write("</stream:stream>") // a client that is gone needs none
	}
}

// open takes the client's stream header, and answers with its own and the
// features.
func (s *stream) open() error {
	s.decoder = xml.NewDecoder(s.in)
	for {
		token, err := s.decoder.Token()
		if err != nil {
			return err
		}
		tag, is := token.(xml.StartElement)
		if !is {
			continue
		}
		if tag.Name != (xml.Name{Space: nsStream, Local: "stream"}) {
			return s.fail("invalid-namespace")
		}
		break
	}
	header := fmt.Sprintf("<?xml version='1.0'?><stream:stream from='%s' id='%s' version='1.0' xml:lang='en' xmlns='%s' xmlns:stream='%s'>", Domain, rand.Text(), nsClient, nsStream)
	return s.write(header + "<stream:features>" + s.features() + "</stream:features>")
}

func (s *stream) features() string {
	switch {
	case s.name != "":
		features := "<bind xmlns='" + nsBind + "'/>"
		if !s.server.config.NoManagement {
			features += "<sm xmlns='" + nsSM + "'/>"
		}
		return features
	case s.server.config.TLS != nil && !s.secured:
		return "<starttls xmlns='" + nsTLS + "'><required/></starttls>"
	}
	offered := ""
	for _, m := range s.mechanisms() {
		offered += "<mechanism>" + m + "</mechanism>"
	}
	return "<mechanisms xmlns='" + nsSASL + "'>" + offered + "</mechanisms>"
}

func (s *stream) mechanisms() []string {
	switch {
	case s.server.config.Mechanisms != nil:
		return s.server.config.Mechanisms
	case s.secured:
		return []string{"SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN"}
	}
	return []string{"SCRAM-SHA-256", "SCRAM-SHA-1"}
}

// next waits for the next element; errOver where the client ends its stream.
func (s *stream) next() (*element, error) {
	for {
		token, err := s.decoder.Token()
		if err != nil {
			return nil, err
		}
		switch token := token.(type) {
		case xml.StartElement:
			e := new(element)
			return e, s.decoder.DecodeElement(e, &token)
		case xml.EndElement:
			s.clean = true
			return nil, errOver
		}
	}
}

// handle takes one element: of the negotiation first, then of the session.
func (s *stream) handle(e *element) error {
	switch {
	case e.XMLName == (xml.Name{Space: nsTLS, Local: "starttls"}) && s.server.config.TLS != nil && !s.secured:
		return s.startTLS()
	case s.server.config.TLS != nil && !s.secured:
		return s.fail("policy-violation")
	case e.XMLName == (xml.Name{Space: nsSASL, Local: "auth"}) && s.name == "":
		return s.authenticate(e)
	case s.name == "":
		return s.fail("not-authorized")
	case s.session == nil:
		return s.begin(e)
	}
	return s.server.take(s.session, e)
}

func (s *stream) startTLS() error {
	if err := s.write("<proceed xmlns='" + nsTLS + "'/>"); err != nil {
		return err
	}
	secured := tls.Server(s.conn, s.server.config.TLS)
	if err := secured.Handshake(); err != nil {
		return err
	}
	s.conn, s.secured = secured, true
	s.in = bufio.NewReaderSize(secured, 1024)
	return s.open()
}

// fail ends the stream with an error.
func (s *stream) fail(condition string) error {
	_ = s.write("<stream:error><" + condition + " xmlns='" + nsStreams + "'/></stream:error></stream:stream>")
	return errOver
}

// write is for the negotiation, while nobody else writes.
func (s *stream) write(text string) error {
	_, err := s.conn.Write([]byte(text))
	return err
}

// authenticate goes through SASL, and waits for the new stream behind it.
func (s *stream) authenticate(auth *element) error {
	name, final, condition := s.sasl(auth)
	if condition != "" {
		if err := s.write("<failure xmlns='" + nsSASL + "'><" + condition + "/></failure>"); err != nil {
			return err
		}
		return nil // the client may try again
	}
	s.name = name
	if err := s.write("<success xmlns='" + nsSASL + "'>" + base64.StdEncoding.EncodeToString([]byte(final)) + "</success>"); err != nil {
		return err
	}
	return s.open()
}

// begin binds a session, or resumes one.
func (s *stream) begin(e *element) error {
	if e.XMLName == (xml.Name{Space: nsSM, Local: "resume"}) && !s.server.config.NoManagement {
		s.session = s.server.resume(s, e)
		return nil
	}
	if e.XMLName != (xml.Name{Space: nsClient, Local: "iq"}) || e.attr("type") != "set" || e.child(nsBind, "bind") == nil {
		return s.fail("not-authorized")
	}
	s.session = s.server.bind(s, e.attr("id"))
	return nil
}

func escape(text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text)) // a strings.Builder takes everything
	return b.String()
}
