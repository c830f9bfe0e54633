package xmpp_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"rollcall/domain"
	"rollcall/domain/broker"
)

// TestResume is what comes of a broken connection, by what the server does when
// it is asked to take the stream up.
func TestResume(t *testing.T) {
	broken := func(p *peer) {
		p.login(smFeature)
		p.send("<message from='bob@xmpp.test'><body>once</body></message>")
	}
	asked := func(p *peer) (string, bool) {
		p.authenticate()
		p.opened(bindFeature + smFeature)
		p.expect("<resume")
		return p.expect("/>")
	}
	resumed := func(p *peer) {
		heard, ok := asked(p)
		if ok && (!strings.Contains(heard, "previd='again'") || !strings.Contains(heard, "h='1'")) {
			p.t.Errorf("the client asked to resume with %s, want id again and h='1': the message is not safe yet", heard)
		}
		p.send("<resumed xmlns='urn:xmpp:sm:3' previd='again' h='2'/>")
		p.send("<message from='bob@xmpp.test'><body>once</body></message><message from='bob@xmpp.test'><body>new</body></message>")
		p.hold()
	}
	unavailable := func(*peer) {}
	for _, c := range []struct {
		name    string
		options []string
		scripts []func(*peer)
		want    domain.RejectCode // of Closed; zero: it goes on
		text    string
	}{
		{"at once", []string{"resume", "on"}, []func(*peer){broken, resumed}, 0, ""},
		{"at the third attempt", []string{"resume", "on"}, []func(*peer){broken, unavailable, unavailable, resumed}, 0, ""},
		{"refused", []string{"resume", "on"}, []func(*peer){broken, func(p *peer) {
			asked(p)
			p.send("<failed xmlns='urn:xmpp:sm:3'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>")
			p.hold()
		}}, domain.RejectUpstreamRefused, "item-not-found"},
		{"the server stays away", []string{"resume", "on"}, []func(*peer){broken}, domain.RejectUpstreamUnreachable, "connection"},
		{"not asked for", nil, []func(*peer){broken, resumed}, domain.RejectUpstreamUnreachable, "closed the connection"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSink()
				conv, err := scripted(t, c.scripts...).Login(t.Context(), alice(inClear(c.options...)), s)
				if err != nil {
					t.Fatal(err)
				}
				if c.want != 0 {
					if closed := await(t, s, anyEvent[broker.Closed]); code(closed.Err) != c.want || !strings.Contains(closed.Err.Error(), c.text) {
						t.Errorf("Closed = %v, want the code %v with %q", closed.Err, c.want, c.text)
					}
				} else {
					await(t, s, func(m broker.MessageReceived) bool { return m.Body == "new" })
				}
				_ = conv.Logout(t.Context()) // an error where it is closed already
				once := 0
				events, _ := s.snapshot()
				for _, e := range events {
					if m, is := e.(broker.MessageReceived); is && m.Body == "once" {
						once++
					}
				}
				if once != 1 {
					t.Errorf("the message before the break came %d times", once)
				}
			})
		})
	}
}

// TestLogoutWhileDown: a person who logs out does not wait for the server to come
// back.
func TestLogoutWhileDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conv, err := scripted(t, func(p *peer) { p.login(smFeature) }).Login(t.Context(), alice(inClear("resume", "on")), newSink())
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		began := time.Now()
		if err := conv.Logout(t.Context()); err != nil {
			t.Errorf("Logout = %v", err)
		}
		if took := time.Since(began); took > time.Second {
			t.Errorf("Logout took %v", took)
		}
	})
}
