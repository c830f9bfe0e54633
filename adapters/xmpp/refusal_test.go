package xmpp_test

import (
	"context"
	"encoding/base64"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"rollcall/domain"
)

// TestRefusals is every way a server can refuse, break or stall a login.
func TestRefusals(t *testing.T) {
	failure := func(name string) func(*peer) {
		return func(p *peer) {
			p.listen()
			p.opened(scram256)
			p.expect("</auth>")
			p.send("<failure" + saslNS + "><" + name + "/><text>in its own words</text></failure>")
			p.hold()
		}
	}
	challenge := func(message string) func(*peer) {
		return func(p *peer) {
			p.listen()
			p.opened(scram256)
			heard, _ := p.expect("</auth>")
			data := strings.TrimSuffix(heard[strings.LastIndex(strings.TrimSuffix(heard, "</auth>"), ">")+1:], "</auth>")
			first, _ := base64.StdEncoding.DecodeString(data)
			_, nonce, _ := strings.Cut(string(first), "r=")
			answer := strings.ReplaceAll(message, "NONCE", nonce+"more")
			p.send("<challenge" + saslNS + ">" + base64.StdEncoding.EncodeToString([]byte(answer)) + "</challenge>")
			p.hold()
		}
	}
	afterHeader := func(text string) func(*peer) {
		return func(p *peer) {
			p.listen()
			p.expect("<stream:stream")
			p.send(text)
			p.hold()
		}
	}
	bound := func(answer string) func(*peer) {
		return func(p *peer) {
			p.authenticate()
			p.opened(bindFeature)
			p.expect("</iq>")
			p.send(answer)
			p.hold()
		}
	}
	iqError := func(name string) string {
		return "<iq type='error' id='bind'><error type='wait'><" + name + " xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
	}
	for _, c := range []struct {
		name   string
		script func(*peer)
		want   domain.RejectCode
		text   string // that the error must hold
	}{
		{"not-authorized", failure("not-authorized"), domain.RejectBadCredentials, "in its own words"},
		{"credentials-expired", failure("credentials-expired"), domain.RejectBadCredentials, "credentials-expired"},
		{"account-disabled", failure("account-disabled"), domain.RejectBadCredentials, "account-disabled"},
		{"temporary-auth-failure", failure("temporary-auth-failure"), domain.RejectUpstreamRefused, "temporary-auth-failure"},
		{"too many iterations", challenge("r=NONCE,s=c2FsdA==,i=999999999"), domain.RejectUpstreamRefused, "iterations"},
		{"too few iterations", challenge("r=NONCE,s=c2FsdA==,i=1"), domain.RejectUpstreamRefused, "iterations"},
		{"somebody else's nonce", challenge("r=abc,s=c2FsdA==,i=4096"), domain.RejectUpstreamRefused, "nonce"},
		{"success without proof", func(p *peer) {
			p.listen()
			p.opened(scram256)
			p.expect("</auth>")
			p.send("<success" + saslNS + "/>")
			p.hold()
		}, domain.RejectUpstreamRefused, "SCRAM-SHA-256"},
		{"only PLAIN and no TLS", afterHeader(streamHeader + features("<mechanisms"+saslNS+"><mechanism>PLAIN</mechanism></mechanisms>")), domain.RejectUpstreamRefused, "PLAIN"},
		{"no mechanisms", afterHeader(streamHeader + features("")), domain.RejectUpstreamRefused, "no way to log in"},
		{"not XMPP", afterHeader("HTTP/1.1 400 Bad Request\r\n\r\n"), domain.RejectUpstreamRefused, "open the stream"},
		{"another XML", afterHeader("<html xmlns='x'>"), domain.RejectUpstreamRefused, "XMPP"},
		{"a later version", afterHeader(strings.Replace(streamHeader, "version='1.0' xmlns", "version='2.0' xmlns", 1)), domain.RejectUpstreamRefused, "version"},
		{"a document type", afterHeader("<!DOCTYPE a [<!ENTITY b 'c'>]>" + streamHeader), domain.RejectUpstreamRefused, "XML"},
		{"an unknown entity", afterHeader(streamHeader + features("&lol;")), domain.RejectUpstreamRefused, "entity"},
		{"a comment", afterHeader(streamHeader + features("<!-- -->")), domain.RejectUpstreamRefused, "comment"},
		{"an endless attribute", afterHeader("<stream:stream a='" + strings.Repeat("x", 1<<20)), domain.RejectUpstreamRefused, "more in one element"},
		{"an endless element", afterHeader(streamHeader + "<stream:features>" + strings.Repeat("x", 1<<20)), domain.RejectUpstreamRefused, "more in one element"},
		{"deep nesting", afterHeader(streamHeader + "<stream:features>" + strings.Repeat("<a>", 1000)), domain.RejectUpstreamRefused, "more in one element"},
		{"host-unknown", afterHeader(streamHeader + streamErrorXML(condition("host-unknown"))), domain.RejectUpstreamRefused, "host-unknown"},
		{"a full server", afterHeader(streamHeader + streamErrorXML(condition("resource-constraint"))), domain.RejectUpstreamFull, "resource-constraint"},
		{"a policy", afterHeader(streamHeader + streamErrorXML(condition("policy-violation"))), domain.RejectUpstreamFull, "policy-violation"},
		{"shutting down", afterHeader(streamHeader + streamErrorXML(condition("system-shutdown"))), domain.RejectUpstreamUnreachable, "shutting down"},
		{"see-other-host in the clear", afterHeader(streamHeader + streamErrorXML("<see-other-host xmlns='urn:ietf:params:xml:ns:xmpp-streams'>203.0.113.1</see-other-host>")), domain.RejectUpstreamRefused, "203.0.113.1"},
		{"a hang-up at once", func(*peer) {}, domain.RejectUpstreamUnreachable, ""},
		{"a stream that ends", afterHeader(streamHeader + "</stream:stream>"), domain.RejectUpstreamUnreachable, "closed the connection"},
		{"no room for a resource", bound(iqError("resource-constraint")), domain.RejectUpstreamFull, "bind"},
		{"bind not allowed", bound(iqError("not-allowed")), domain.RejectUpstreamRefused, "not-allowed"},
		{"bind without an address", bound("<iq type='result' id='bind'/>"), domain.RejectUpstreamRefused, "no address"},
		{"silence at once", func(p *peer) { p.listen(); p.hold() }, domain.RejectUpstreamTimeout, "open the stream"},
		{"silence before the features", afterHeader(streamHeader), domain.RejectUpstreamTimeout, "features"},
		{"silence in SASL", func(p *peer) { p.listen(); p.opened(scram256); p.hold() }, domain.RejectUpstreamTimeout, "SCRAM-SHA-256"},
		{"silence at bind", bound(""), domain.RejectUpstreamTimeout, "bind"},
		{"silence at the roster", bound(bindResult), domain.RejectUpstreamTimeout, "roster"},
		{"drops in half an element", afterHeader(streamHeader + "<stream:feat"), domain.RejectUpstreamTimeout, "features"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
				defer cancel()
				connector := scripted(t, c.script)
				conv, err := connector.Login(ctx, alice(inClear()), newSink())
				if conv != nil || code(err) != c.want || !strings.Contains(err.Error(), c.text) {
					t.Errorf("Login = %v, %v; want the code %v with %q", conv, err, c.want, c.text)
				}
				if err != nil && strings.Contains(err.Error(), "secret-of-alice") {
					t.Errorf("the error holds the password: %v", err)
				}
			})
		})
	}
}
