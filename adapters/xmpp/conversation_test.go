package xmpp_test

import (
	"errors"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/adapters/xmpp"
	"rollcall/domain"
	"rollcall/domain/broker"
)

// converse runs a test on a conversation with a scripted server, in a bubble of
// its own time.
func converse(t *testing.T, script func(*peer), test func(*testing.T, broker.Conversation, *sink)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := newSink()
		conv, err := scripted(t, script).Login(t.Context(), alice(inClear()), s)
		if err != nil {
			t.Fatalf("Login = %v, want no error", err)
		}
		test(t, conv, s)
		if err := conv.Logout(t.Context()); err != nil {
			events, _ := s.snapshot()
			if _, closed := events[len(events)-1].(broker.Closed); !closed {
				t.Errorf("Logout = %v, want no error", err)
			}
		}
	})
}

// TestEvents is what each stanza comes to.
func TestEvents(t *testing.T) {
	bob := "from='bob@xmpp.test/phone'"
	offline := broker.PresenceChanged{Contact: "bob@xmpp.test", Show: broker.ShowOffline}
	for _, c := range []struct {
		name  string
		sends string
		want  []broker.UpstreamEvent
	}{
		{"a chat message", "<message " + bob + " type='chat' id='1'><body>a &lt;b&gt; &#x1F642;</body></message>",
			[]broker.UpstreamEvent{broker.MessageReceived{ID: "1", From: "bob@xmpp.test", Body: "a <b> 🙂"}}},
		{"a normal message with a delay", "<message " + bob + "><body>old</body><delay xmlns='urn:xmpp:delay' stamp='2026-01-02T03:04:05.678Z'/></message>",
			[]broker.UpstreamEvent{broker.MessageReceived{From: "bob@xmpp.test", Body: "old", Sent: time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.UTC)}}},
		{"a delay that is no time", "<message " + bob + "><body>old</body><delay xmlns='urn:xmpp:delay' stamp='yesterday'/></message>",
			[]broker.UpstreamEvent{broker.MessageReceived{From: "bob@xmpp.test", Body: "old"}}},
		{"a headline", "<message " + bob + " type='headline'><body>news</body></message>", nil},
		{"a room", "<message from='room@muc.test/bob' type='groupchat'><body>hi all</body></message>", nil},
		{"a carbon", "<message from='alice@xmpp.test'><received xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client' " + bob + "><body>x</body></message></forwarded></received></message>", nil},
		{"one's own message", "<message from='alice@xmpp.test/other' type='chat'><body>x</body></message>", nil},
		{"typing", "<message " + bob + " type='chat'><composing xmlns='http://jabber.org/protocol/chatstates'/></message>",
			[]broker.UpstreamEvent{broker.TypingChanged{Contact: "bob@xmpp.test", Typing: true}}},
		{"a message that ends typing", "<message " + bob + " type='chat'><body>x</body><active xmlns='http://jabber.org/protocol/chatstates'/></message>",
			[]broker.UpstreamEvent{broker.TypingChanged{Contact: "bob@xmpp.test"}, broker.MessageReceived{From: "bob@xmpp.test", Body: "x"}}},
		{"a late refusal", "<message from='bob@xmpp.test' type='error' id='7'><error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>",
			[]broker.UpstreamEvent{broker.MessageReceived{ID: "7", From: "bob@xmpp.test", Body: "(Your message was not delivered: no such recipient, or not reachable now.)"}}},
		{"presences", "<presence " + bob + "/><presence " + bob + "><show>dnd</show><status>busy</status></presence><presence " + bob + "><show>xa</show></presence><presence " + bob + "><show>away</show></presence><presence " + bob + " type='unavailable'><status>bye</status></presence>",
			[]broker.UpstreamEvent{
				broker.PresenceChanged{Contact: "bob@xmpp.test", Show: broker.ShowAvailable},
				broker.PresenceChanged{Contact: "bob@xmpp.test", Show: broker.ShowBusy, Text: "busy"},
				broker.PresenceChanged{Contact: "bob@xmpp.test", Show: broker.ShowIdle},
				broker.PresenceChanged{Contact: "bob@xmpp.test", Show: broker.ShowAway},
				broker.PresenceChanged{Contact: "bob@xmpp.test", Show: broker.ShowOffline, Text: "bye"},
			}},
		{"two clients of one contact", "<presence from='bob@xmpp.test/a'><priority>5</priority><show>away</show></presence><presence from='bob@xmpp.test/b'/><presence from='bob@xmpp.test/a' type='unavailable'/><presence from='bob@xmpp.test/b' type='unavailable'/>",
			[]broker.UpstreamEvent{
				broker.PresenceChanged{Contact: "bob@xmpp.test", Show: broker.ShowAway},
				broker.PresenceChanged{Contact: "bob@xmpp.test", Show: broker.ShowAvailable},
				offline,
			}},
		{"a wish to subscribe", "<presence from='eve@xmpp.test' type='subscribe'/>", nil},
		{"one's own presence", "<presence from='alice@xmpp.test/other'/>", nil},
		{"a roster push", "<iq type='set' id='p' from='alice@xmpp.test'><query xmlns='jabber:iq:roster'><item jid='Carol@xmpp.test' name='C'><group>g</group></item></query></iq>",
			[]broker.UpstreamEvent{broker.RosterChanged{Contact: broker.Contact{Address: "carol@xmpp.test", Name: "C", Groups: []string{"g"}}}}},
		{"a removal", "<iq type='set' id='p'><query xmlns='jabber:iq:roster'><item jid='bob@xmpp.test' subscription='remove'/></query></iq>",
			[]broker.UpstreamEvent{broker.RosterChanged{Contact: broker.Contact{Address: "bob@xmpp.test"}, Removed: true}}},
		{"a roster push from somebody else", "<iq type='set' id='p' from='eve@xmpp.test'><query xmlns='jabber:iq:roster'><item jid='eve@xmpp.test'/></query></iq>", nil},
		{"unknown things", "<iq type='set' id='u'><x xmlns='y'/></iq><iq type='result' id='nobody-asked'/><other xmlns='z'/>", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			script := func(p *peer) {
				p.login("")
				p.send(c.sends + "<message from='end@xmpp.test'><body>end</body></message>")
				p.hold()
			}
			converse(t, script, func(t *testing.T, _ broker.Conversation, s *sink) {
				await(t, s, func(m broker.MessageReceived) bool { return m.Body == "end" })
				events, _ := s.snapshot()
				roster := broker.RosterReceived{Contacts: []broker.Contact{{Address: "bob@xmpp.test", Name: "Bob"}}}
				if diff := cmp.Diff(broker.UpstreamEvent(roster), events[0]); diff != "" {
					t.Errorf("the first event (-want +got):\n%s", diff)
				}
				got := events[1 : len(events)-1]
				if len(got) == 0 {
					got = nil
				}
				if diff := cmp.Diff(c.want, got); diff != "" {
					t.Errorf("events (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// TestAnswers is what the client says to a server's requests.
func TestAnswers(t *testing.T) {
	for _, c := range []struct{ name, sends, wants string }{
		{"a ping", "<iq type='get' id='q1' from='xmpp.test'><ping xmlns='urn:xmpp:ping'/></iq>", "<iq type='result' id='q1' to='xmpp.test'></iq>"},
		{"an unknown get", "<iq type='get' id='q2'><query xmlns='jabber:iq:version'/></iq>", "<iq type='error' id='q2'><error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"},
		{"an id with quotes", `<iq type='set' id="a'b" from='eve@xmpp.test/x'><x xmlns='y'/></iq>`, "<iq type='error' id='a&#39;b' to='eve@xmpp.test/x'>"},
		{"a roster push", "<iq type='set' id='q3'><query xmlns='jabber:iq:roster'><item jid='d@xmpp.test'/></query></iq>", "<iq type='result' id='q3'></iq>"},
	} {
		t.Run(c.name, func(t *testing.T) {
			heard := make(chan bool, 1)
			script := func(p *peer) {
				p.login("")
				p.send(c.sends)
				_, ok := p.expect(c.wants)
				heard <- ok
				p.hold()
			}
			converse(t, script, func(t *testing.T, _ broker.Conversation, _ *sink) {
				select {
				case <-heard:
				case <-time.After(time.Minute):
					t.Errorf("the client did not answer %s", c.wants)
				}
			})
		})
	}
}

// TestSend is what a server's answers make of a message.
func TestSend(t *testing.T) {
	const bounce = "<message from='nobody@xmpp.test' type='error' id='m'><error type='cancel'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>"
	const ping = "<ping xmlns='urn:xmpp:ping'/>"
	for _, c := range []struct {
		name, feature, probe, answer string
		want                         error
	}{
		{"taken, by ping", "", ping, "<iq type='result' id='ping-1'/>", nil},
		{"refused, by ping", "", ping, bounce + "<iq type='result' id='ping-1'/>", &broker.SendError{Text: "no such recipient"}},
		{"taken, a server without ping", "", ping, "<iq type='error' id='ping-1'/>", nil},
		{"no answer", "", ping, "", nil},
		{"taken, by acknowledgement", smFeature, "<r xmlns='urn:xmpp:sm:3'/>", "<a xmlns='urn:xmpp:sm:3' h='3'/>", nil},
		{"refused, by acknowledgement", smFeature, "<r xmlns='urn:xmpp:sm:3'/>", bounce + "<a xmlns='urn:xmpp:sm:3' h='3'/>", &broker.SendError{Text: "no such recipient"}},
		{"presence meanwhile", smFeature, "<r xmlns='urn:xmpp:sm:3'/>", "<presence from='bob@xmpp.test/a'/>" + bounce + "<a xmlns='urn:xmpp:sm:3' h='3'/>", &broker.SendError{Text: "no such recipient"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			script := func(p *peer) {
				p.login(c.feature)
				if heard, _ := p.expect(c.probe); !strings.Contains(heard, "to='bob@xmpp.test'><body>a &lt; b</body>") {
					t.Errorf("the client said %s", heard)
				}
				p.send(c.answer)
				p.hold()
			}
			converse(t, script, func(t *testing.T, conv broker.Conversation, s *sink) {
				err := conv.Send(t.Context(), broker.OutgoingMessage{ID: "m", To: "bob", Body: "a < b"})
				if diff := cmp.Diff(c.want, err); diff != "" {
					t.Errorf("Send (-want +got):\n%s", diff)
				}
				if strings.Contains(c.answer, "<presence") {
					await(t, s, anyEvent[broker.PresenceChanged])
				}
			})
		})
	}
}

func TestSendToNoAddress(t *testing.T) {
	script := func(p *peer) { p.login(""); p.hold() }
	converse(t, script, func(t *testing.T, conv broker.Conversation, _ *sink) {
		var refused *broker.SendError
		if err := conv.Send(t.Context(), broker.OutgoingMessage{To: "two words@x", Body: "b"}); !errors.As(err, &refused) {
			t.Errorf("Send = %v, want a *broker.SendError", err)
		}
	})
}

// TestSendWhileTheSinkIsBusy: Send waits for the server's word behind what the sink
// is taking, and not for good.
func TestSendWhileTheSinkIsBusy(t *testing.T) {
	for _, c := range []struct {
		name  string
		says  string        // the server, once it has the message, before it is gone
		after time.Duration // when the sink is done
		took  time.Duration
		sent  bool
	}{
		{"it has the message", "<a xmlns='urn:xmpp:sm:3' h='9'/>", time.Second, time.Second, true},
		{"it dies", "", time.Second, time.Second, false},
		{"the sink takes long", "<a xmlns='urn:xmpp:sm:3' h='9'/>", time.Minute, 2 * time.Second, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &blocking{gate: make(chan struct{})}
				script := func(p *peer) { p.login(smFeature); p.expect("<r xmlns"); p.send(c.says) }
				conv, err := scripted(t, script).Login(t.Context(), alice(inClear()), s)
				if err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				began := time.Now()
				time.AfterFunc(c.after, func() { close(s.gate) })
				err = conv.Send(t.Context(), broker.OutgoingMessage{ID: "m", To: "bob", Body: "b"})
				if took := time.Since(began); (err == nil) != c.sent || took != c.took {
					t.Errorf("Send = %v after %v, want success: %v, after %v", err, took, c.sent, c.took)
				}
				<-s.gate
				_ = conv.Logout(t.Context()) // the server is gone
			})
		})
	}
}

// TestWhatADyingServerSaidIsRead: a connection that takes nothing more is read to its
// end.
func TestWhatADyingServerSaidIsRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		broken := &stopped{Conn: near}
		p := &peer{t: t, conn: far, changed: make(chan struct{})}
		var running sync.WaitGroup
		running.Go(func() {
			defer far.Close()
			p.login(smFeature)
			p.hold()
		})
		defer running.Wait()
		s := newSink()
		conv, err := xmpp.NewWith(nil, func(string) (net.Conn, error) { return broken, nil }).Login(t.Context(), alice(inClear()), s)
		if err != nil {
			t.Fatal(err)
		}
		broken.off.Store(true)
		if err := conv.SetPresence(t.Context(), broker.OwnPresence{Show: broker.ShowAway}); err == nil {
			t.Error("SetPresence = nil over a connection that takes nothing")
		}
		p.send("<message from='bob@xmpp.test' id='1'><body>hello</body></message>")
		await(t, s, func(m broker.MessageReceived) bool { return m.Body == "hello" })
		if closed := await(t, s, anyEvent[broker.Closed]); code(closed.Err) != domain.RejectUpstreamUnreachable {
			t.Errorf("Closed = %v, want upstream-unreachable", closed.Err)
		}
		_ = conv.Logout(t.Context()) // it is over
	})
}

// stopped is a connection that takes nothing more once it is off.
type stopped struct {
	net.Conn
	off atomic.Bool
}

func (s *stopped) Write(p []byte) (int, error) {
	if s.off.Load() {
		return 0, syscall.EPIPE
	}
	return s.Conn.Write(p)
}

type blocking struct{ gate chan struct{} }

func (b *blocking) Deliver(uint64, broker.UpstreamEvent) { <-b.gate }

// TestSilence: a server that goes silent is pinged and then given up.
func TestSilence(t *testing.T) {
	script := func(p *peer) {
		p.login("")
		p.expect("<ping")
		p.send("<iq type='result' id='ping-1'/>") // one sign of life
		p.expect("<ping")
		p.hold()
	}
	converse(t, script, func(t *testing.T, _ broker.Conversation, s *sink) {
		began := time.Now()
		closed := await(t, s, anyEvent[broker.Closed])
		if code(closed.Err) != domain.RejectUpstreamTimeout {
			t.Errorf("Closed = %v, want upstream-timeout", closed.Err)
		}
		if took := time.Since(began); took < 4*time.Minute || took > 6*time.Minute {
			t.Errorf("the silent server was given up after %v", took)
		}
	})
}

// TestClosed is how a conversation ends from the server's side.
func TestClosed(t *testing.T) {
	for _, c := range []struct {
		name, sends string
		want        domain.RejectCode
		text        string
	}{
		{"conflict", streamErrorXML(condition("conflict")), domain.RejectUpstreamRefused, "conflict: another client has taken"},
		{"shutdown", streamErrorXML(condition("system-shutdown") + "<text xmlns='urn:ietf:params:xml:ns:xmpp-streams'>back at noon</text>"), domain.RejectUpstreamUnreachable, "back at noon"},
		{"end of stream", "</stream:stream>", domain.RejectUpstreamUnreachable, "closed the connection"},
		{"hang-up", "", domain.RejectUpstreamUnreachable, "connection"},
		{"garbage", "\x00\xff<<<>>>", domain.RejectUpstreamRefused, "XML"},
		{"a stanza without end", "<message>" + strings.Repeat("x", 2<<20), domain.RejectUpstreamRefused, "more in one element"},
		{"a hundred thousand elements", "<message>" + strings.Repeat("<a/>", 100_000), domain.RejectUpstreamRefused, "more in one element"},
		{"a bad acknowledgement", "<a xmlns='urn:xmpp:sm:3' h='many'/>", domain.RejectUpstreamRefused, "no number"},
	} {
		t.Run(c.name, func(t *testing.T) {
			script := func(p *peer) { p.login(""); p.send(c.sends) }
			converse(t, script, func(t *testing.T, conv broker.Conversation, s *sink) {
				closed := await(t, s, anyEvent[broker.Closed])
				if code(closed.Err) != c.want || !strings.Contains(closed.Err.Error(), c.text) {
					t.Errorf("Closed = %v, want the code %v with %q", closed.Err, c.want, c.text)
				}
				var refused *broker.SendError
				err := conv.Send(t.Context(), broker.OutgoingMessage{ID: "m", To: "bob", Body: "b"})
				if err == nil || errors.As(err, &refused) {
					t.Errorf("Send after Closed = %v, want an error that is no *broker.SendError", err)
				}
			})
		})
	}
}

// TestAcknowledge: the server is told of what is safe, and of no more.
func TestAcknowledge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		heard, s := make(chan string, 2), newSink()
		script := func(p *peer) {
			p.login(smFeature)
			p.send("<message from='bob@xmpp.test'><body>1</body></message><message from='bob@xmpp.test'><body>2</body></message><presence from='bob@xmpp.test/a'/><r xmlns='urn:xmpp:sm:3'/>")
			for range 2 {
				p.expect("<a ")
				h, _ := p.expect("/>")
				heard <- h
			}
			p.hold()
		}
		conv, err := scripted(t, script).Login(t.Context(), alice(inClear()), s)
		if err != nil {
			t.Fatal(err)
		}
		await(t, s, anyEvent[broker.PresenceChanged])
		if h := <-heard; !strings.Contains(h, "h='1'") { // the roster's result
			t.Errorf("acknowledged %s before anything was safe", h)
		}
		conv.Acknowledge(2) // the roster and the first message
		if h := <-heard; !strings.Contains(h, "h='2'") {
			t.Errorf("acknowledged %s, want h='2'", h)
		}
		if err := conv.Logout(t.Context()); err != nil {
			t.Errorf("Logout = %v", err)
		}
	})
}

// TestAcknowledgeLagging: a server is told in time even where nothing is safe.
func TestAcknowledgeLagging(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		heard, s := make(chan string, 1), newSink()
		script := func(p *peer) {
			p.login(smFeature)
			p.send(strings.Repeat("<message from='bob@xmpp.test'><body>x</body></message>", 450) + "<r xmlns='urn:xmpp:sm:3'/>")
			p.expect("<a ")
			h, _ := p.expect("/>")
			heard <- h
			p.hold()
		}
		conv, err := scripted(t, script).Login(t.Context(), alice(inClear()), s)
		if err != nil {
			t.Fatal(err)
		}
		if h := <-heard; !strings.Contains(h, "h='51'") {
			t.Errorf("acknowledged %s of 451 stanzas, want h='51'", h)
		}
		if err := conv.Logout(t.Context()); err != nil {
			t.Errorf("Logout = %v", err)
		}
	})
}
