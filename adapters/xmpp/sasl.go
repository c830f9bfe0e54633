package xmpp

import (
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/xdg-go/scram"

	"rollcall/domain"
	"rollcall/domain/broker"
)

// mechanism is one way to log in.
type mechanism struct {
	name string
	hash scram.HashGeneratorFcn // nil: PLAIN
	plus bool                   // bound to the TLS channel
}

// mechanisms are the ways to log in, best first.
var mechanisms = []mechanism{
	{"SCRAM-SHA-256-PLUS", scram.SHA256, true},
	{"SCRAM-SHA-1-PLUS", scram.SHA1, true},
	{"SCRAM-SHA-256", scram.SHA256, false},
	{"SCRAM-SHA-1", scram.SHA1, false},
	{"PLAIN", nil, false},
}

// maxIterations bounds the work that a server can make a login be.
const maxIterations = 1_000_000

var (
	errIterations = fmt.Errorf("the server asks for more than %d iterations", maxIterations)
	errUnproven   = errors.New("the server did not prove that it knows the account")
)

// credentials are what a login shows to the server.
type credentials struct {
	user     string
	password string
	clients  map[string]*scram.Client // by mechanism, with their derived keys
}

// String keeps the password out of whatever prints its holder.
func (*credentials) String() string { return "credentials" }

// GoString is String.
func (c *credentials) GoString() string { return c.String() }

// client gives the SCRAM state for a mechanism. A name or password that SASLprep
// does not take is a wrong one.
func (c *credentials) client(m mechanism) (*scram.Client, error) {
	if known := c.clients[m.name]; known != nil {
		return known, nil
	}
	client, err := m.hash.NewClient(c.user, c.password, "")
	if err != nil {
		// The cause could quote the password.
		return nil, &broker.UpstreamError{Code: domain.RejectBadCredentials, Text: "the name or the password holds characters that no server takes"}
	}
	c.clients = map[string]*scram.Client{m.name: client}
	return client, nil
}

// pickMechanism gives the best of what the server offers. It never goes below
// SCRAM where the server offers SCRAM, and never sends a password in the clear.
func pickMechanism(offered []string, state *tls.ConnectionState, types []string, o *options) (mechanism, *scram.ChannelBinding, error) {
	binding := channelBinding(state, types)
	for _, m := range mechanisms {
		switch {
		case !slices.Contains(offered, m.name), m.plus && binding == nil, m.hash == nil && (state == nil || o.noPlain):
		default:
			return m, binding, nil
		}
	}
	text := "the server offers no way to log in that is safe here; it offers " + shorten(strings.Join(offered, ", "))
	if slices.Contains(offered, "PLAIN") && o.noPlain {
		text += "; the option plain=never rules PLAIN out"
	}
	return mechanism{}, nil, &broker.UpstreamError{Code: domain.RejectUpstreamRefused, Text: text}
}

// channelBinding gives the binding to the TLS connection that both sides can: of
// those the server names (XEP-0440), else the one its TLS version has.
func channelBinding(state *tls.ConnectionState, types []string) *scram.ChannelBinding {
	if state == nil {
		return nil
	}
	wanted := func(t string) bool { return len(types) == 0 || slices.Contains(types, t) }
	if state.Version >= tls.VersionTLS13 && wanted("tls-exporter") {
		if b, err := scram.NewTLSExporterBinding(state); err == nil {
			return &b
		}
	}
	if state.Version == tls.VersionTLS12 && len(state.TLSUnique) > 0 && wanted("tls-unique") {
		b := scram.NewTLSUniqueBinding(state.TLSUnique)
		return &b
	}
	if slices.Contains(types, "tls-server-end-point") {
		if b, err := scram.NewTLSServerEndpointBinding(state); err == nil {
			return &b
		}
	}
	return nil
}

// exchange is one SCRAM conversation. Where the server offers no bound mechanism
// although we could bind, it says so: a server that did offer one then knows
// that somebody has tampered with the list (RFC 5802 section 6).
func (c *credentials) exchange(m mechanism, binding *scram.ChannelBinding, offered []string) (*scram.ClientConversation, error) {
	client, err := c.client(m)
	if err != nil {
		return nil, err
	}
	plusOffered := slices.ContainsFunc(offered, func(name string) bool { return strings.HasSuffix(name, "-PLUS") })
	switch {
	case m.plus:
		return client.NewConversationWithChannelBinding(*binding), nil
	case binding != nil && !plusOffered:
		return client.NewConversationAdvertisingChannelBinding(), nil
	}
	return client.NewConversation(), nil
}

// plain gives the initial response of SASL PLAIN, RFC 4616.
func (c *credentials) plain() string { return "\x00" + c.user + "\x00" + c.password }

// checkIterations refuses a first server message that asks for endless work.
func checkIterations(challenge string) error {
	for field := range strings.SplitSeq(challenge, ",") {
		text, is := strings.CutPrefix(field, "i=")
		if !is {
			continue
		}
		if n, err := strconv.Atoi(text); err != nil || n > maxIterations {
			return errIterations
		}
	}
	return nil
}

// decodeSASL gives what a SASL element carries; a lone "=" is nothing.
func decodeSASL(text string) (string, error) {
	if text = strings.TrimSpace(text); text == "=" {
		return "", nil
	}
	data, err := base64.StdEncoding.DecodeString(text)
	return string(data), err
}

func encodeSASL(data string) string { return base64.StdEncoding.EncodeToString([]byte(data)) }

// forgetUnless drops the password and the keys, once they have done their work.
func (c *credentials) forgetUnless(needed bool) {
	if !needed {
		c.password, c.clients = "", nil
	}
}
