package xmpp

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"rollcall/domain"
	"rollcall/domain/broker"
)

// link is one TCP connection with the stream on it.
type link struct {
	conn   net.Conn
	reader *streamReader
}

// negotiation takes a connection from its first byte to a logged-in stream. It
// runs on one goroutine.
type negotiation struct {
	c     *Connector
	ctx   context.Context
	o     *options
	who   jid
	creds *credentials
	link
	secured  *tls.ConnectionState // nil while in the clear
	features *element
}

// maxRedirects is how often a server may send us elsewhere.
const maxRedirects = 2

// redirect is a server's wish that we go elsewhere, RFC 6120 section 4.9.3.19.
type redirect struct{ to string }

func (r *redirect) Error() string { return "the server sends us to " + r.to }

// open connects, encrypts and authenticates; it gives the negotiation with the
// features of the logged-in stream. Whatever it opened and does not give it has
// closed.
func (c *Connector) open(ctx context.Context, o *options, who jid, creds *credentials) (*negotiation, error) {
	addresses, err := c.candidates(ctx, o, who.domain)
	if err != nil {
		return nil, failure(ctx, "find the server", err)
	}
	for range maxRedirects + 1 {
		n := &negotiation{c: c, ctx: ctx, o: o, who: who, creds: creds}
		err = n.attempt(addresses)
		if err == nil {
			return n, nil
		}
		var elsewhere *redirect
		if !errors.As(err, &elsewhere) {
			return nil, err
		}
		addresses = []string{withPort(elsewhere.to)}
		if o.mode == tlsNone {
			return nil, &broker.UpstreamError{Code: domain.RejectUpstreamRefused, Text: elsewhere.Error() + ", and a stream in the clear goes nowhere else"}
		}
	}
	return nil, &broker.UpstreamError{Code: domain.RejectUpstreamRefused, Text: "the server sends us elsewhere again and again"}
}

func withPort(host string) string {
	if _, _, err := net.SplitHostPort(host); err == nil {
		return host
	}
	return net.JoinHostPort(strings.Trim(host, "[]"), "5222")
}

// attempt runs one connection up to the logged-in stream.
func (n *negotiation) attempt(addresses []string) error {
	conn, err := n.c.dialAny(n.ctx, addresses)
	if err != nil {
		return err
	}
	n.conn = conn
	release := n.guard()
	defer release()
	if err := n.run(); err != nil {
		conn.Close()
		return err
	}
	return nil
}

// guard lets the end of the context break into what waits for the server.
func (n *negotiation) guard() (release func()) {
	raw := n.conn // the deadline of the TCP connection holds for TLS on it too
	stop := context.AfterFunc(n.ctx, func() { _ = raw.SetDeadline(time.Unix(1, 0)) })
	return func() { stop() }
}

func (n *negotiation) run() error {
	if n.o.mode == tlsDirect {
		if err := n.encrypt(); err != nil {
			return err
		}
	}
	if err := n.openStream(); err != nil {
		return err
	}
	if n.o.mode == tlsStart {
		if err := n.startTLS(); err != nil {
			return err
		}
	}
	if err := n.authenticate(); err != nil {
		return err
	}
	if err := n.openStream(); err != nil {
		return err
	}
	n.reader.limit = maxStanzaBytes
	return nil
}

func (n *negotiation) encrypt() error {
	secured, err := n.o.secure(n.ctx, n.conn, n.who.domain)
	if err != nil {
		return err
	}
	state := secured.ConnectionState()
	n.conn, n.secured = secured, &state
	return nil
}

// openStream begins a new stream and reads the server's features.
func (n *negotiation) openStream() error {
	n.reader = newStreamReader(n.conn) // nothing read before counts any more
	err := n.write(fmt.Sprintf("<?xml version='1.0'?><stream:stream to='%s' version='1.0' xml:lang='en' xmlns='%s' xmlns:stream='%s'>",
		escape(n.who.domain), nsClient, nsStream))
	if err != nil {
		return err
	}
	root, err := n.reader.open()
	if err != nil {
		return failure(n.ctx, "open the stream", err)
	}
	if v := root.attr("version"); v != "" && !strings.HasPrefix(v, "1.") {
		return n.refuse("the server speaks version %.20q of the protocol, not 1.0", v)
	}
	n.features, err = n.read("features")
	if err != nil {
		return err
	}
	if !n.features.is(nsStream, "features") {
		return n.refuse("the server offers no stream features: it speaks XMPP from before 2004")
	}
	return nil
}

// startTLS encrypts; a server that does not offer it is not talked to.
func (n *negotiation) startTLS() error {
	if n.features.child(nsTLS, "starttls") == nil {
		return n.refuse("the server offers no STARTTLS; set tls to direct if it speaks TLS from the start")
	}
	if err := n.write("<starttls xmlns='" + nsTLS + "'/>"); err != nil {
		return err
	}
	answer, err := n.read("STARTTLS")
	if err != nil {
		return err
	}
	if !answer.is(nsTLS, "proceed") {
		return n.refuse("the server refused to start TLS")
	}
	if len(n.reader.in.rest) > 0 {
		return n.refuse("the server sent data in the clear behind its STARTTLS answer")
	}
	if err := n.encrypt(); err != nil {
		return err
	}
	return n.openStream()
}

// authenticate logs in with the best mechanism, and with no other if it fails.
func (n *negotiation) authenticate() error {
	offered, bindings := n.offers()
	m, binding, err := pickMechanism(offered, n.secured, bindings, n.o)
	if err != nil {
		return err
	}
	if m.hash == nil {
		return n.authPlain(m)
	}
	exchange, err := n.creds.exchange(m, binding, offered)
	if err != nil {
		return err
	}
	first, err := exchange.Step("")
	if err != nil {
		return n.refuse("%s: %v", m.name, err)
	}
	return n.authScram(m, first, exchange.Step, exchange.Valid)
}

// offers gives the mechanisms and channel bindings of the features.
func (n *negotiation) offers() (mechanisms, bindings []string) {
	if list := n.features.child(nsSASL, "mechanisms"); list != nil {
		for _, m := range list.children {
			mechanisms = append(mechanisms, strings.TrimSpace(m.text))
		}
	}
	if list := n.features.child(nsBinding, "sasl-channel-binding"); list != nil {
		for _, b := range list.children {
			bindings = append(bindings, b.attr("type"))
		}
	}
	return mechanisms, bindings
}

func (n *negotiation) authPlain(m mechanism) error {
	answer, err := n.auth(m, n.creds.plain())
	if err != nil {
		return err
	}
	if !answer.is(nsSASL, "success") {
		return n.refuse("%s: the server answered with <%.40s>", m.name, answer.name.Local)
	}
	return nil
}

// authScram goes through SCRAM, RFC 5802, to the point where the server has
// proven that it knows the account too.
func (n *negotiation) authScram(m mechanism, first string, step func(string) (string, error), valid func() bool) error {
	answer, err := n.auth(m, first)
	for err == nil {
		var data, response string
		if data, err = decodeSASL(answer.text); err != nil {
			return n.refuse("%s: %v", m.name, err)
		}
		success := answer.is(nsSASL, "success")
		if success && valid() && data == "" {
			return nil
		}
		if err = checkIterations(data); err == nil {
			response, err = step(data)
		}
		switch {
		case err != nil:
			return n.refuse("%s: %v", m.name, err)
		case success && valid():
			return nil
		case success:
			return n.refuse("%s: %v", m.name, errUnproven)
		}
		answer, err = n.ask(m.name, fmt.Sprintf("<response xmlns='%s'>%s</response>", nsSASL, encodeSASL(response)))
	}
	return err
}

func (n *negotiation) auth(m mechanism, initial string) (*element, error) {
	return n.ask(m.name, fmt.Sprintf("<auth xmlns='%s' mechanism='%s'>%s</auth>", nsSASL, m.name, encodeSASL(initial)))
}

// ask sends a SASL element and gives the server's challenge or success.
func (n *negotiation) ask(stage, request string) (*element, error) {
	if err := n.write(request); err != nil {
		return nil, err
	}
	answer, err := n.read(stage)
	switch {
	case err != nil:
		return nil, err
	case answer.is(nsSASL, "failure"):
		return nil, refusal(stage, answer.condition(nsSASL), answer.childText(nsSASL, "text"))
	case !answer.is(nsSASL, "challenge") && !answer.is(nsSASL, "success"):
		return nil, n.refuse("%s: the server answered with <%.40s>", stage, answer.name.Local)
	}
	return answer, nil
}

// read gives the next element that is no stream error.
func (n *negotiation) read(stage string) (*element, error) {
	e, err := n.reader.next(func() {})
	if err != nil {
		return nil, failure(n.ctx, stage, err)
	}
	if !e.is(nsStream, "error") {
		return e, nil
	}
	if host := strings.TrimSpace(e.childText(nsStreams, "see-other-host")); host != "" {
		return nil, &redirect{to: host}
	}
	return nil, streamError(e)
}

func (n *negotiation) write(text string) error {
	if _, err := n.conn.Write([]byte(text)); err != nil {
		return failure(n.ctx, "write to the server", err)
	}
	return nil
}

func (n *negotiation) refuse(format string, args ...any) error {
	return &broker.UpstreamError{Code: domain.RejectUpstreamRefused, Text: fmt.Sprintf(format, args...)}
}
