package xmpp

import (
	"encoding/xml"
	"slices"
	"strings"
)

// The name spaces of the protocol: RFC 6120, RFC 6121 and the XEPs in doc.go.
const (
	nsClient  = "jabber:client"
	nsStream  = "http://etherx.jabber.org/streams"
	nsStreams = "urn:ietf:params:xml:ns:xmpp-streams"
	nsStanzas = "urn:ietf:params:xml:ns:xmpp-stanzas"
	nsTLS     = "urn:ietf:params:xml:ns:xmpp-tls"
	nsSASL    = "urn:ietf:params:xml:ns:xmpp-sasl"
	nsBinding = "urn:xmpp:sasl-cb:0"
	nsBind    = "urn:ietf:params:xml:ns:xmpp-bind"
	nsSession = "urn:ietf:params:xml:ns:xmpp-session"
	nsRoster  = "jabber:iq:roster"
	nsVer     = "urn:xmpp:features:rosterver"
	nsPing    = "urn:xmpp:ping"
	nsSM      = "urn:xmpp:sm:3"
	nsDelay   = "urn:xmpp:delay"
	nsStates  = "http://jabber.org/protocol/chatstates"
)

// element is one XML element with all that is in it.
type element struct {
	name     xml.Name
	attrs    []xml.Attr
	text     string // the character data directly in it, joined
	children []*element
}

func (e *element) is(space, local string) bool {
	return e != nil && e.name.Local == local && e.name.Space == space
}

// attr gives an attribute without a name space; empty where there is none.
func (e *element) attr(local string) string {
	if e == nil {
		return ""
	}
	for _, a := range e.attrs {
		if a.Name.Space == "" && a.Name.Local == local {
			return a.Value
		}
	}
	return ""
}

// child gives the first child of that name, or nil.
func (e *element) child(space, local string) *element {
	if e == nil {
		return nil
	}
	i := slices.IndexFunc(e.children, func(c *element) bool { return c.is(space, local) })
	if i < 0 {
		return nil
	}
	return e.children[i]
}

// childText gives the text of the first child of that name; empty where there is
// none.
func (e *element) childText(space, local string) string {
	if c := e.child(space, local); c != nil {
		return c.text
	}
	return ""
}

// condition gives the first child in the name space that is not its human text:
// the defined condition of an error.
func (e *element) condition(space string) string {
	if e == nil {
		return ""
	}
	for _, c := range e.children {
		if c.name.Space == space && c.name.Local != "text" {
			return c.name.Local
		}
	}
	return ""
}

// escape gives text as it may stand in XML, in an element or an attribute in
// quotes. Characters that XML does not have become U+FFFD.
func escape(text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text)) // a Builder takes everything
	return b.String()
}
