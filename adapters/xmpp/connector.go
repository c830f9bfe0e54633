package xmpp

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"rollcall/domain"
	"rollcall/domain/broker"
)

// The intervals of a conversation.
const (
	quietBeforePing = 2 * time.Minute  // silence after which the server is asked for a sign of life
	pingPatience    = 30 * time.Second // silence after that, until the connection counts as dead
	writePatience   = 10 * time.Second // for one write that has no deadline of its own
	drainPatience   = 1 * time.Second  // for what a server has sent whose connection takes nothing more
	outcomePatience = 2 * time.Second  // for the server's word on one message
	ackDelay        = 5 * time.Second  // for an acknowledgement to find something to travel with
	partingPatience = 2 * time.Second  // for the server's end of the stream at logout
	resumePatience  = 2 * time.Minute  // for a broken stream to be taken up again
)

// Connector opens XMPP conversations. It is safe for concurrent use.
type Connector struct {
	resolver resolver
	dial     dialFunc
	rosters  *rosterCache
	options  optionCache
}

var _ broker.Connector = (*Connector)(nil)

// New gives a connector that finds servers by the system's resolver.
func New() *Connector {
	dialer := &net.Dialer{Timeout: 10 * time.Second}
	return &Connector{resolver: net.DefaultResolver, dial: dialer.DialContext, rosters: newRosterCache()}
}

// Kind gives [domain.KindXMPP].
func (*Connector) Kind() domain.Kind { return domain.KindXMPP }

// Total is unset: the protocol knows no total.
func (*Connector) Total() domain.Optional[uint32] { return domain.Optional[uint32]{} }

// Check gives a *[domain.SettingError] where an option is unknown or cannot be
// worked with. It reads the ca-file.
func (*Connector) Check(settings domain.Settings) error {
	_, err := parseSettings(settings)
	return err
}

// Login logs in on a connection of the session's own, see [broker.Connector].
func (c *Connector) Login(ctx context.Context, login broker.UpstreamLogin, sink broker.Sink) (broker.Conversation, error) {
	o, err := c.options.get(login.Settings)
	if err != nil {
		return nil, &broker.UpstreamError{Code: domain.RejectUpstreamRefused, Text: "the service's settings: " + err.Error(), Err: err}
	}
	who, ok := parseAccount(login.Account, o.domain)
	if !ok {
		return nil, &broker.UpstreamError{Code: domain.RejectBadCredentials,
			Text: "the account is not of the form name@domain, nor a name with the option domain set"}
	}
	creds := &credentials{user: who.local, password: login.Password}
	n, err := c.open(ctx, o, who, creds)
	creds.forgetUnless(o.resume)
	if err != nil {
		return nil, err
	}
	conv := &Conversation{c: c, o: o, who: who, creds: creds, sink: sink, done: make(chan struct{}), ready: make(chan struct{})}
	if err := conv.begin(ctx, n); err != nil {
		return nil, err
	}
	return conv, nil
}

// begin binds a resource, starts the reader and waits for the roster.
func (c *Conversation) begin(ctx context.Context, n *negotiation) error {
	release := n.guard()
	defer release()
	if err := c.bind(n); err != nil {
		n.conn.Close()
		return err
	}
	c.take(n)
	go c.run()
	select {
	case <-c.ready:
	case <-c.done:
		if !c.isReady() {
			return failure(ctx, "fetch the roster", c.cause)
		}
	case <-ctx.Done():
	}
	if release(); ctx.Err() != nil {
		c.abandon()
		<-c.done
		return failure(ctx, "fetch the roster", ctx.Err())
	}
	_ = n.conn.SetDeadline(time.Time{}) // a deadline the context set just now would outlive it
	return nil
}

// bind binds a resource (RFC 6120 section 7), opens a session where the server
// insists (RFC 3921 section 3), and enables stream management.
func (c *Conversation) bind(n *negotiation) error {
	c.rosterVer = n.features.child(nsVer, "ver") != nil
	session := n.features.child(nsSession, "session")
	answer, err := n.request("bind", "<bind xmlns='"+nsBind+"'/>")
	if err != nil {
		return err
	}
	c.full = answer.child(nsBind, "bind").childText(nsBind, "jid")
	if bare, _ := splitAddress(c.full); bare == "" {
		return n.refuse("bind: the server gave no address")
	} else {
		c.bare = bare
	}
	if session != nil && session.child(nsSession, "optional") == nil {
		if _, err := n.request("session", "<session xmlns='"+nsSession+"'/>"); err != nil {
			return err
		}
	}
	if n.features.child(nsSM, "sm") == nil {
		return nil
	}
	return c.enable(n)
}

// request sends an IQ of type set while nothing else is under way, and gives its
// result.
func (n *negotiation) request(id, payload string) (*element, error) {
	if err := n.write(fmt.Sprintf("<iq type='set' id='%s'>%s</iq>", id, payload)); err != nil {
		return nil, err
	}
	for range 16 { // what else a server may say at this point
		answer, err := n.read(id)
		if err != nil {
			return nil, err
		}
		if !answer.is(nsClient, "iq") || answer.attr("id") != id {
			continue
		}
		if answer.attr("type") != "result" {
			return nil, stanzaError(id, answer)
		}
		return answer, nil
	}
	return nil, n.refuse("%s: the server does not answer but says other things", id)
}

// enable turns stream management on, XEP-0198 section 3. A server that refuses
// is talked to without.
func (c *Conversation) enable(n *negotiation) error {
	resume := ""
	if c.o.resume {
		resume = " resume='true'"
	}
	if err := n.write("<enable xmlns='" + nsSM + "'" + resume + "/>"); err != nil {
		return err
	}
	answer, err := n.read("enable stream management")
	if err != nil {
		return err
	}
	if !answer.is(nsSM, "enabled") {
		return nil
	}
	c.sm.enabled = true
	if r := answer.attr("resume"); c.o.resume && (r == "true" || r == "1") {
		c.sm.id = answer.attr("id")
		c.out.keep = c.sm.id != ""
	}
	return nil
}

var errLoggedOut = errors.New("logged out")
