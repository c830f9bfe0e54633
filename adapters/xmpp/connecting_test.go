package xmpp_test

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/adapters/xmpp"
	"rollcall/adapters/xmpp/xmpptest"
	"rollcall/domain"
	"rollcall/domain/broker"
)

// TestChannelBinding logs in over both TLS versions with the binding of each.
func TestChannelBinding(t *testing.T) {
	certificate := xmpptest.NewCertificate(t, xmpptest.Domain)
	const types = "<sasl-channel-binding xmlns='urn:xmpp:sasl-cb:0'><channel-binding type='tls-exporter'/></sasl-channel-binding>"
	for _, c := range []struct {
		name     string
		version  uint16
		features string
	}{
		{"tls-unique", tls.VersionTLS12, plus},
		{"tls-exporter", tls.VersionTLS13, plus},
		{"tls-exporter as the server names it", tls.VersionTLS13, plus + types},
	} {
		t.Run(c.name, func(t *testing.T) {
			connector := scripted(t, secureLogin(certificate, c.version, c.features))
			settings := domain.Settings{Kind: domain.KindXMPP, Address: "127.0.0.1:5222", Options: map[string]string{"pin-sha256": pinOf(certificate)}}
			conv, err := connector.Login(t.Context(), alice(settings), newSink())
			if err != nil {
				t.Fatalf("Login = %v, want no error", err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			_ = conv.Logout(ctx) // the script does not answer it
		})
	}
}

const plus = "<mechanisms" + saslNS + "><mechanism>SCRAM-SHA-256</mechanism><mechanism>SCRAM-SHA-256-PLUS</mechanism></mechanisms>"

// secureLogin is a server that takes a client through STARTTLS to its roster.
func secureLogin(certificate xmpptest.Certificate, version uint16, offers string) func(*peer) {
	return func(p *peer) {
		p.listen()
		p.opened("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls>")
		p.expect("<starttls")
		p.expect("/>")
		p.send("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
		binding, ok := p.secure(certificate, version)
		if !ok {
			return
		}
		p.opened(offers)
		p.scram(binding)
		p.opened(bindFeature)
		p.expect("</iq>")
		p.send(bindResult)
		p.expect("</iq>")
		p.send(rosterResult)
		p.hold()
	}
}

// TestRedirect follows a server that sends us elsewhere, but not for ever.
func TestRedirect(t *testing.T) {
	certificate := xmpptest.NewCertificate(t, xmpptest.Domain)
	settings := domain.Settings{Kind: domain.KindXMPP, Address: "127.0.0.1:5222", Options: map[string]string{"pin-sha256": pinOf(certificate)}}
	elsewhere := func(p *peer) {
		p.listen()
		p.expect("<stream:stream")
		p.send(streamHeader + streamErrorXML("<see-other-host xmlns='urn:ietf:params:xml:ns:xmpp-streams'>[2001:db8::1]:5333</see-other-host>"))
		p.hold()
	}
	conv, err := scripted(t, elsewhere, elsewhere, secureLogin(certificate, tls.VersionTLS13, plus)).Login(t.Context(), alice(settings), newSink())
	if err != nil {
		t.Fatalf("Login = %v, want no error", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_ = conv.Logout(ctx) // the script does not answer it
	if _, err := scripted(t, elsewhere, elsewhere, elsewhere).Login(t.Context(), alice(settings), newSink()); code(err) != domain.RejectUpstreamRefused {
		t.Errorf("Login = %v, want upstream-refused", err)
	}
}

// TestStartTLSRefused: without encryption there is no login.
func TestStartTLSRefused(t *testing.T) {
	settings := domain.Settings{Kind: domain.KindXMPP, Address: "127.0.0.1:5222"}
	for name, script := range map[string]func(*peer){
		"not offered": func(p *peer) { p.listen(); p.opened(scram256); p.hold() },
		"refused": func(p *peer) {
			p.listen()
			p.opened("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
			p.expect("<starttls")
			p.send("<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
		},
		"data in the clear behind it": func(p *peer) {
			p.listen()
			p.opened("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
			p.expect("<starttls")
			p.send("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>" + streamHeader)
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := scripted(t, script).Login(t.Context(), alice(settings), newSink())
			if code(err) != domain.RejectUpstreamRefused {
				t.Errorf("Login = %v, want upstream-refused", err)
			}
		})
	}
}

// TestFindServer is which addresses are tried for which DNS answers.
func TestFindServer(t *testing.T) {
	record := func(target string, port uint16) *net.SRV { return &net.SRV{Target: target, Port: port} }
	for _, c := range []struct {
		name, mode string
		records    []*net.SRV
		err        error
		want       []string
	}{
		{"records in order", "starttls", []*net.SRV{record("a.test.", 1), record("b.test.", 2)}, nil, []string{"xmpp-client xmpp.test", "a.test:1", "b.test:2"}},
		{"direct TLS", "direct", []*net.SRV{record("a.test.", 443)}, nil, []string{"xmpps-client xmpp.test", "a.test:443"}},
		{"no record", "starttls", nil, &net.DNSError{IsNotFound: true}, []string{"xmpp-client xmpp.test", "xmpp.test:5222"}},
		{"no record, direct TLS", "direct", nil, &net.DNSError{IsNotFound: true}, []string{"xmpps-client xmpp.test", "xmpp.test:5223"}},
		{"decidedly no service", "starttls", []*net.SRV{record(".", 0)}, nil, []string{"xmpp-client xmpp.test"}},
		{"DNS does not work", "starttls", nil, &net.DNSError{Err: "server misbehaving"}, []string{"xmpp-client xmpp.test"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var tried []string
			connector := xmpp.NewWith(
				func(service, name string) ([]*net.SRV, error) {
					tried = append(tried, service+" "+name)
					return c.records, c.err
				},
				func(address string) (net.Conn, error) {
					tried = append(tried, address)
					return nil, io.ErrUnexpectedEOF
				})
			_, err := connector.Login(t.Context(), alice(domain.Settings{Kind: domain.KindXMPP, Options: map[string]string{"tls": c.mode}}), newSink())
			if code(err) != domain.RejectUpstreamUnreachable {
				t.Errorf("Login = %v, want upstream-unreachable", err)
			}
			if diff := cmp.Diff(c.want, tried); diff != "" {
				t.Errorf("tried (-want +got):\n%s", diff)
			}
		})
	}
}

// TestAccounts is what an account's name may look like.
func TestAccounts(t *testing.T) {
	for account, options := range map[string][]string{
		"alice":           nil,
		"@xmpp.test":      nil,
		"a@b@c":           nil,
		"alice@x.test/r":  nil,
		"al ice":          {"domain", "xmpp.test"},
		"alice\x00@x.org": nil,
	} {
		if _, err := scripted(t).Login(t.Context(), broker.UpstreamLogin{Settings: inClear(options...), Account: account}, newSink()); code(err) != domain.RejectBadCredentials {
			t.Errorf("Login(%q) = %v, want bad-credentials", account, err)
		}
	}
}
