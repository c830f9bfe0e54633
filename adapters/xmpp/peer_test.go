package xmpp_test

import (
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/xdg-go/scram"

	"rollcall/adapters/xmpp"
	"rollcall/adapters/xmpp/xmpptest"
	"rollcall/domain"
	"rollcall/domain/broker"
)

// peer is a scripted server: the test says what it expects and what it sends.
type peer struct {
	t    *testing.T
	conn net.Conn

	mu      sync.Mutex
	text    string // heard and not yet expected
	closed  bool
	changed chan struct{}
}

// scripted gives a connector whose connections go to the scripts, one after the
// other. A connection is closed when its script returns.
func scripted(t *testing.T, scripts ...func(*peer)) *xmpp.Connector {
	t.Helper()
	var mu sync.Mutex
	var running sync.WaitGroup
	t.Cleanup(running.Wait)
	return xmpp.NewWith(nil, func(string) (net.Conn, error) {
		mu.Lock()
		defer mu.Unlock()
		if len(scripts) == 0 {
			return nil, io.ErrClosedPipe
		}
		script := scripts[0]
		scripts = scripts[1:]
		near, far := net.Pipe()
		p := &peer{t: t, conn: far, changed: make(chan struct{})}
		running.Go(func() {
			defer far.Close()
			script(p)
		})
		return near, nil
	})
}

// listen reads what the client says. It begins with the first expectation, so
// that TLS can have the connection before.
func (p *peer) listen() {
	go func(conn net.Conn) {
		buffer := make([]byte, 4096)
		for {
			n, err := conn.Read(buffer)
			p.mu.Lock()
			p.text += string(buffer[:n])
			p.closed = err != nil
			close(p.changed)
			p.changed = make(chan struct{})
			p.mu.Unlock()
			if err != nil {
				return
			}
			if strings.Contains(string(buffer[:n]), "<starttls") {
				return // what follows is not text
			}
		}
	}(p.conn)
}

// expect waits until the client has said text, and gives everything up to its
// end. It gives false where the client hung up before.
func (p *peer) expect(text string) (string, bool) {
	for {
		p.mu.Lock()
		i := strings.Index(p.text, text)
		heard := p.text
		if i >= 0 {
			p.text = p.text[i+len(text):]
		}
		closed, changed := p.closed, p.changed
		p.mu.Unlock()
		switch {
		case i >= 0:
			return heard[:i+len(text)], true
		case closed:
			return heard, false
		}
		<-changed
	}
}

func (p *peer) send(text string) { _, _ = io.WriteString(p.conn, text) } // the client may have hung up

// hold stays connected until the client hangs up.
func (p *peer) hold() { p.expect("\x00 never said \x00") }

const (
	streamHeader = "<?xml version='1.0'?><stream:stream from='xmpp.test' id='1' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"
	scram256     = "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism><mechanism>SCRAM-SHA-256</mechanism></mechanisms>"
	bindFeature  = "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>"
	smFeature    = "<sm xmlns='urn:xmpp:sm:3'/>"
	bindResult   = "<iq type='result' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>alice@xmpp.test/r</jid></bind></iq>"
	rosterResult = "<iq type='result' id='roster'><query xmlns='jabber:iq:roster'><item jid='bob@xmpp.test' name='Bob'/></query></iq>"
	saslNS       = " xmlns='urn:ietf:params:xml:ns:xmpp-sasl'"
)

func features(inside string) string {
	return "<stream:features>" + inside + "</stream:features>"
}

func streamErrorXML(inside string) string { return "<stream:error>" + inside + "</stream:error>" }

func condition(name string) string {
	return "<" + name + " xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>"
}

// opened takes the client's stream header and sends ours with features.
func (p *peer) opened(inside string) {
	p.expect("<stream:stream")
	p.expect(">")
	p.send(streamHeader + features(inside))
}

// authenticate opens a stream and lets the client log in with SCRAM.
func (p *peer) authenticate() {
	p.listen()
	p.opened(scram256)
	p.scram(nil)
}

// scram is the server's end of SCRAM, by the library.
func (p *peer) scram(binding *scram.ChannelBinding) {
	client, err := scram.SHA256.NewClient("alice", "secret-of-alice", "")
	if err != nil {
		p.t.Error(err)
		return
	}
	stored, err := client.GetStoredCredentialsWithError(scram.KeyFactors{Salt: "salt-salt", Iters: 4096})
	if err != nil {
		p.t.Error(err)
		return
	}
	server, err := scram.SHA256.NewServer(func(string) (scram.StoredCredentials, error) { return stored, nil })
	if err != nil {
		p.t.Error(err)
		return
	}
	conversation := server.NewConversation()
	if binding != nil {
		conversation = server.NewConversationWithChannelBindingRequired(*binding)
	}
	for _, end := range []string{"</auth>", "</response>"} {
		heard, ok := p.expect(end)
		if !ok {
			return
		}
		data := strings.TrimSuffix(heard[strings.LastIndex(strings.TrimSuffix(heard, end), ">")+1:], end)
		message, _ := base64.StdEncoding.DecodeString(data) // a wrong one fails in Step
		answer, err := conversation.Step(string(message))
		if err != nil {
			p.send("<failure" + saslNS + "><not-authorized/></failure>")
			return
		}
		name := "challenge"
		if conversation.Valid() {
			name = "success"
		}
		p.send("<" + name + saslNS + ">" + base64.StdEncoding.EncodeToString([]byte(answer)) + "</" + name + ">")
	}
}

// login takes a client to the point where it has its roster and is available.
func (p *peer) login(more string) {
	p.authenticate()
	p.opened(bindFeature + more)
	p.expect("</iq>")
	p.send(bindResult)
	if strings.Contains(more, smFeature) {
		p.expect("<enable")
		p.send("<enabled xmlns='urn:xmpp:sm:3' id='again' resume='true'/>")
	}
	p.expect("</iq>")
	p.send(rosterResult)
	p.expect("<presence/>")
}

// secure makes the server's end of TLS, and gives its channel binding.
func (p *peer) secure(c xmpptest.Certificate, version uint16) (*scram.ChannelBinding, bool) {
	pair, err := tls.LoadX509KeyPair(c.File, c.KeyFile)
	if err != nil {
		p.t.Error(err)
		return nil, false
	}
	conn := tls.Server(p.conn, &tls.Config{Certificates: []tls.Certificate{pair}, MaxVersion: version})
	if err := conn.Handshake(); err != nil {
		return nil, false
	}
	p.conn, p.text = conn, ""
	p.listen()
	state := conn.ConnectionState()
	if version == tls.VersionTLS12 {
		b := scram.NewTLSUniqueBinding(state.TLSUnique)
		return &b, true
	}
	b, err := scram.NewTLSExporterBinding(&state)
	return &b, err == nil
}

// inClear are settings that lead to a scripted server.
func inClear(options ...string) domain.Settings {
	return with(domain.Settings{Kind: domain.KindXMPP, Address: "127.0.0.1:5222", Options: map[string]string{"tls": "none-for-loopback-tests-only"}}, options...)
}

func alice(s domain.Settings) broker.UpstreamLogin {
	return broker.UpstreamLogin{Session: 1, Settings: s, Account: "alice@xmpp.test", Password: "secret-of-alice"}
}

func pinOf(c xmpptest.Certificate) string {
	sum := sha256.Sum256(c.Leaf.RawSubjectPublicKeyInfo)
	return base64.StdEncoding.EncodeToString(sum[:])
}
