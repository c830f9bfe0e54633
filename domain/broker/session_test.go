package broker_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/domain"
	"rollcall/domain/broker"
)

// bodies gives the message texts that a device was sent, in order.
func bodies(l *line) (texts []string) {
	for _, m := range l.all() {
		if item, ok := m.(broker.Item); ok {
			if m, ok := item.Body.(broker.MessageReceived); ok {
				texts = append(texts, m.Body)
			}
		}
	}
	return texts
}

func lastItem(l *line) (number uint64) {
	for _, m := range l.all() {
		if item, ok := m.(broker.Item); ok {
			number = item.Number
		}
	}
	return number
}

func message(i int) broker.MessageReceived {
	return broker.MessageReceived{From: "bob", Body: fmt.Sprint(i)}
}

func TestResumeSendsAgainWhatWasNotAcknowledged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		alice := h.device("alice")
		session, link := h.login(alice, "alice")
		accepted := first[broker.Accepted](t, link)
		talk := h.up.last()
		talk.deliver(message(1))
		talk.deliver(message(2))
		if err := session.Receive(t.Context(), broker.Ack{Number: 1}); err != nil {
			t.Fatal(err)
		}
		session.Detach()
		talk.deliver(message(3))
		from := h.log.last() + 1
		_, link = h.resume(alice, accepted, 1)
		synctest.Wait() // somebody may be writing still
		if got := first[broker.Resumed](t, link); got.Fence != 2 {
			t.Errorf("fence = %d, want 2", got.Fence)
		}
		if diff := cmp.Diff([]string{"2", "3"}, bodies(link)); diff != "" {
			t.Error(diff)
		}
		if got := h.log.types(from); len(got) != 0 {
			t.Errorf("back within the grace recorded %v, want nothing", got)
		}
		if talk.safe != 4 { // the roster and three messages
			t.Errorf("upstream was told that %d is safe, want 4", talk.safe)
		}
	})
}

func TestCoverageIsRecordedAfterTheGrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		alice := h.device("alice")
		session, link := h.login(alice, "alice")
		from := h.log.last() + 1
		session.Detach()
		time.Sleep(11 * time.Second)
		synctest.Wait()
		h.resume(alice, first[broker.Accepted](t, link), 1)
		if diff := cmp.Diff([]string{"coverage-lost", "session-resumed"}, h.log.types(from)); diff != "" {
			t.Error(diff)
		}
	})
}

func TestSilentLinkLosesAndRegainsCoverage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		session, _ := h.login(h.device("alice"), "alice")
		from := h.log.last() + 1
		time.Sleep(4 * time.Minute)
		if err := session.Receive(t.Context(), broker.Status{}); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"coverage-lost", "coverage-regained"}, h.log.types(from)); diff != "" {
			t.Error(diff)
		}
	})
}

func TestStatusKeepsASessionCovered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, inactivity(5*time.Minute))
		session, _ := h.login(h.device("alice"), "alice")
		from := h.log.last() + 1
		for range 20 {
			time.Sleep(time.Minute)
			if err := session.Receive(t.Context(), broker.Status{}); err != nil {
				t.Fatal(err)
			}
		}
		if got := h.log.types(from); len(got) != 0 {
			t.Errorf("recorded %v, want nothing", got)
		}
	})
}

func TestInactiveSessionEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, inactivity(2*time.Minute))
		session, link := h.login(h.device("alice"), "alice")
		time.Sleep(90 * time.Second)
		session.Receive(t.Context(), broker.Status{})
		time.Sleep(119 * time.Second)
		if len(link.all()) == 0 || link.isClosed() {
			t.Fatal("the session ended before its time")
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if n := first[broker.Notice](t, link); n.Cause != domain.EndInactive {
			t.Errorf("notice = %+v, want inactive", n)
		}
	})
}

// TestOperatorWithoutAnApplianceEndsNobody has an operator work on the log of an
// appliance that was stopped: its devices cannot be heard of, and are not silent for
// that.
func TestOperatorWithoutAnApplianceEndsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, inactivity(5*time.Minute))
		h.login(h.device("alice"), "alice")
		if err := h.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		from := h.log.last() + 1
		b, err := broker.Open(t.Context(), broker.Config{Log: h.log, Connectors: []broker.Connector{&upstream{}}})
		if err != nil {
			t.Fatal(err)
		}
		defer b.Stop(context.Background())
		if _, err := b.PermitPerson(t.Context(), "bob", broker.AccountRef{Service: "im", Account: "bob"}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		if diff := cmp.Diff([]string{"person-permitted"}, h.log.types(from)); diff != "" {
			t.Errorf("recorded (-want +got):\n%s", diff)
		}
	})
}

// TestOlderLinkIsNotHeard has a link speak in whose place a newer one is: whatever
// it says changes nothing, neither here nor upstream.
func TestOlderLinkIsNotHeard(t *testing.T) {
	for name, says := range map[string]broker.FromDevice{
		"status":       broker.Status{InUse: true},
		"send":         broker.Send{ID: "1", To: "bob", Body: "hello"},
		"ack":          broker.Ack{Number: 1},
		"set presence": broker.SetPresence{Presence: broker.OwnPresence{Show: broker.ShowBusy}},
		"logout":       broker.Logout{},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHouse(t)
				alice := h.device("alice")
				old, link := h.login(alice, "alice")
				accepted := first[broker.Accepted](t, link)
				talk := h.up.last()
				talk.deliver(message(1))
				now, _ := h.resume(alice, accepted, 0)
				if !link.isClosed() {
					t.Error("the older link is still open")
				}
				heard := h.heard()
				time.Sleep(time.Second)
				if err := old.Receive(t.Context(), says); !errors.Is(err, broker.ErrLinkReplaced) {
					t.Errorf("Receive on the older link = %v, want ErrLinkReplaced", err)
				}
				old.Detach()
				if got := h.heard(); !got.Equal(heard) {
					t.Errorf("the device was heard of at %v, want %v as before", got, heard)
				}
				if len(talk.sent) > 0 || len(talk.presence) > 0 || talk.isOut() {
					t.Errorf("upstream was told %v and %v, or logged out: %v", talk.sent, talk.presence, talk.isOut())
				}
				if err := now.Receive(t.Context(), broker.Status{}); err != nil {
					t.Errorf("Receive on the newer link = %v", err)
				}
				if _, next := h.resume(alice, accepted, 0); lastItem(next) != 1 {
					t.Error("the older link has acknowledged an item")
				}
			})
		})
	}
}

// heard gives when the one device that is logged in was last heard of.
func (h *house) heard() time.Time {
	h.Helper()
	seats, err := h.Seats(h.Context())
	if err != nil || len(seats) != 1 {
		h.Fatalf("Seats = %v, %v, want one", seats, err)
	}
	return seats[0].Heard
}

func TestResumeAfterRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		alice := h.device("alice")
		_, link := h.login(alice, "alice")
		accepted := first[broker.Accepted](t, link)
		if err := h.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		h = open(t, h.log, &upstream{})
		from := h.log.last() + 1
		session, link := h.resume(alice, accepted, 7)
		if session == nil {
			t.Fatalf("the device got %v, want to go on", link.all())
		}
		if got := h.up.logins[0]; got.Account != "alice" || got.Password != password {
			t.Errorf("upstream login = %+v, want the first one again", got)
		}
		if diff := cmp.Diff([]string{"session-resumed"}, h.log.types(from)); diff != "" {
			t.Error(diff)
		}
		h.up.last().deliver(message(1))
		synctest.Wait()
		if got := lastItem(link); got != 8 {
			t.Errorf("the first item has number %d, want 8: the one after those received", got)
		}
	})
}

func TestResumeIsRefused(t *testing.T) {
	other := bytes.Repeat([]byte{9}, 32)
	tests := []struct {
		name    string
		restart bool
		prepare func(h *house, s broker.Session, r *broker.Resume)
		want    broker.ResumeRefused
	}{
		{name: "wrong secret", prepare: func(h *house, _ broker.Session, r *broker.Resume) { r.Secret = other },
			want: broker.ResumeRefused{Ended: true, Text: "no such session of this device"}},
		{name: "wrong secret after a restart", restart: true, prepare: func(h *house, _ broker.Session, r *broker.Resume) { r.Secret = other },
			want: broker.ResumeRefused{Ended: true, Text: "no such session of this device"}},
		{name: "another device", prepare: func(h *house, _ broker.Session, r *broker.Resume) { r.Device = h.device("bob") },
			want: broker.ResumeRefused{Ended: true, Text: "no such session of this device"}},
		{name: "another device after a restart", restart: true, prepare: func(h *house, _ broker.Session, r *broker.Resume) { r.Device = h.device("bob") },
			want: broker.ResumeRefused{Ended: true, Text: "no such session of this device"}},
		{name: "logged out", prepare: func(h *house, s broker.Session, _ *broker.Resume) { s.Receive(h.Context(), broker.Logout{}) },
			want: broker.ResumeRefused{Ended: true, Cause: domain.EndLogout}},
		{name: "ended before a restart", restart: true, prepare: func(h *house, _ broker.Session, r *broker.Resume) { h.EndSession(h.Context(), r.Session) },
			want: broker.ResumeRefused{Ended: true, Cause: domain.EndedByOperator}},
		{name: "upstream away after a restart", restart: true, prepare: func(h *house, _ broker.Session, r *broker.Resume) {
			h.up.set(&broker.UpstreamError{Code: domain.RejectUpstreamUnreachable, Text: "no route"}, nil)
		}, want: broker.ResumeRefused{RetryAfter: 15 * time.Second, Text: "upstream-unreachable: no route"}},
		{name: "password changed after a restart", restart: true, prepare: func(h *house, _ broker.Session, r *broker.Resume) {
			h.up.set(&broker.UpstreamError{Code: domain.RejectBadCredentials, Text: "no"}, nil)
		}, want: broker.ResumeRefused{Ended: true, Cause: domain.EndResumeFailed, Text: "no"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHouse(t)
				alice := h.device("alice")
				session, link := h.login(alice, "alice")
				accepted := first[broker.Accepted](t, link)
				if tt.restart {
					h.Stop(t.Context())
					keys := h.keys
					h = open(t, h.log, &upstream{})
					h.keys = keys
				}
				r := broker.Resume{Device: alice, Session: accepted.Session, Secret: accepted.Resume}
				tt.prepare(h, session, &r)
				synctest.Wait()
				link = &line{}
				if s, err := h.Resume(t.Context(), r, link); s != nil || err != nil {
					t.Fatalf("Resume = %v, %v, want neither session nor error", s, err)
				}
				tt.want.Session = accepted.Session
				got := first[broker.ResumeRefused](t, link)
				if low := tt.want.RetryAfter; got.RetryAfter < low || got.RetryAfter > low*5/4 {
					t.Errorf("retry after %v, want %v and up to a quarter more", got.RetryAfter, low)
				}
				tt.want.RetryAfter = got.RetryAfter
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}

func TestUpstreamThatClosesEndsTheSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		_, link := h.login(h.device("alice"), "alice")
		id := first[broker.Accepted](t, link).Session
		h.up.last().deliver(broker.Closed{Err: &broker.UpstreamError{Code: domain.RejectUpstreamRefused, Text: "shutting down"}})
		synctest.Wait()
		if n := first[broker.Notice](t, link); n.Cause != domain.EndUpstreamClosed || !link.isClosed() {
			t.Errorf("notice = %+v, closed = %v, want upstream-closed and a closed link", n, link.isClosed())
		}
		if _, kept := h.log.sides[domain.SideKey{Position: domain.Position(id), Kind: domain.SideCredentials}]; kept {
			t.Error("the sealed credentials outlive the session")
		}
	})
}

func TestMessageIsSentOnceHoweverOftenItIsAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		alice := h.device("alice")
		session, link := h.login(alice, "alice")
		send := broker.Send{ID: "1", To: "bob", Body: "hello"}
		session.Receive(t.Context(), send)
		session.Detach()
		session, link = h.resume(alice, first[broker.Accepted](t, link), 1)
		session.Receive(t.Context(), send)
		if got := h.up.last().sent; len(got) != 1 {
			t.Errorf("upstream got %v, want the message once", got)
		}
		if got := first[broker.Sent](t, link); got != (broker.Sent{ID: "1"}) {
			t.Errorf("answer = %+v", got)
		}
	})
}

func TestRefusedMessageIsAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		session, link := h.login(h.device("alice"), "alice")
		h.up.last().refuse = &broker.SendError{Text: "no such recipient"}
		if err := session.Receive(t.Context(), broker.Send{ID: "1", To: "nobody"}); err != nil {
			t.Fatal(err)
		}
		if got := first[broker.Sent](t, link); got.Error != "no such recipient" {
			t.Errorf("answer = %+v", got)
		}
	})
}

func TestRevokedDeviceLosesItsSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		alice := h.device("alice")
		_, link := h.login(alice, "alice")
		if err := h.RevokeDevice(t.Context(), alice); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if n := first[broker.Notice](t, link); n.Cause != domain.EndDeviceRevoked {
			t.Errorf("notice = %+v, want device-revoked", n)
		}
		if _, err := h.Identify(bytes.Repeat([]byte{1}, 32)); !errors.Is(err, domain.ErrDeviceRevoked) {
			t.Errorf("Identify = %v, want ErrDeviceRevoked", err)
		}
	})
}

// TestEverythingArrivesOnceThroughABadLink loses the link at random places and
// resumes, as a device does, with what it has seen.
func TestEverythingArrivesOnceThroughABadLink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		alice := h.device("alice")
		session, link := h.login(alice, "alice")
		accepted := first[broker.Accepted](t, link)
		var got, want []string
		seen := uint64(0)
		collect := func() {
			synctest.Wait()
			for _, m := range link.all() {
				item, ok := m.(broker.Item)
				if !ok || item.Number <= seen {
					continue
				}
				if item.Number != seen+1 {
					t.Fatalf("item %d follows %d", item.Number, seen)
				}
				seen = item.Number
				if m, ok := item.Body.(broker.MessageReceived); ok {
					got = append(got, m.Body)
				}
			}
		}
		for i := range 1000 {
			if i%7 == 3 {
				link.mu.Lock()
				link.broken = true
				link.mu.Unlock()
			}
			h.up.last().deliver(message(i))
			want = append(want, fmt.Sprint(i))
			if i%3 == 0 {
				collect()
				session.Receive(t.Context(), broker.Ack{Number: seen})
			}
			if i%7 == 6 {
				collect()
				session.Detach()
				session, link = h.resume(alice, accepted, seen)
			}
		}
		_, link = h.resume(alice, accepted, seen)
		collect()
		if !slices.Equal(got, want) {
			t.Errorf("got %d messages, want %d, each once and in order", len(got), len(want))
		}
	})
}

// TestCrowdThatFallsSilentIsRecordedTogether is about a network that goes away
// under many links at once: they share a few commits.
func TestCrowdThatFallsSilentIsRecordedTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		for i := range 50 {
			name := fmt.Sprint("p", i)
			h.login(h.device(name), name)
		}
		from, before, hold := h.log.last()+1, h.log.commits(), make(chan struct{})
		h.log.setHold(hold)
		time.Sleep(4 * time.Minute)
		close(hold)
		synctest.Wait()
		if got := len(h.log.types(from)); got != 50 {
			t.Errorf("%d records, want the lost coverage of 50", got)
		}
		if got := h.log.commits() - before; got > 2 {
			t.Errorf("%d commits for 50 devices that fell silent together, want at most 2: the first, and all that gathered meanwhile", got)
		}
	})
}

func TestShorterTimeoutReachesTheDevicesThereAre(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		session, link := h.login(h.device("alice"), "alice")
		h.configure(maximum(1), idle(30*time.Second))
		synctest.Wait()
		if got := first[broker.Pace](t, link); got.StatusInterval != 10*time.Second {
			t.Errorf("the device is to report every %v, want every 10s", got.StatusInterval)
		}
		if err := session.Receive(t.Context(), broker.Status{}); err != nil {
			t.Fatal(err)
		}
		h.configure(maximum(1), idle(30*time.Second))
		synctest.Wait()
		if got := len(link.all()); got != 3 { // the acceptance, the roster, and one pace
			t.Errorf("the device got %v, want no word of settings that changed nothing", link.all())
		}
	})
}

func TestSeatsTellWhenDevicesWereHeard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		session, _ := h.login(h.device("alice"), "alice")
		time.Sleep(20 * time.Second)
		session.Receive(t.Context(), broker.Status{})
		synctest.Wait()
		seats, err := h.Seats(t.Context())
		if err != nil || len(seats) != 1 || !seats[0].Heard.Equal(domain.Instant(time.Now())) {
			t.Errorf("Seats = %+v, %v, want one, heard of now", seats, err)
		}
	})
}

// TestShorterTimeoutReachesWhoIsComing has the settings change while a device logs in,
// or while its session wakes: then it hears of them with the answer.
func TestShorterTimeoutReachesWhoIsComing(t *testing.T) {
	for _, wakes := range []bool{false, true} {
		t.Run(fmt.Sprintf("wakes %v", wakes), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHouse(t)
				alice, link, hold := h.device("alice"), &line{}, make(chan struct{})
				login := broker.Login{Device: alice, Service: "im", Account: "alice", Password: password}
				come := func() (broker.Session, error) { return h.Login(t.Context(), login, link) }
				if wakes {
					_, before := h.login(alice, "alice")
					a := first[broker.Accepted](t, before)
					h = h.again(nil, nil)
					come = func() (broker.Session, error) {
						return h.Resume(t.Context(), broker.Resume{Device: alice, Session: a.Session, Secret: a.Resume}, link)
					}
				}
				h.up.set(nil, hold)
				go come()
				synctest.Wait()
				h.configure(inactivity(30 * time.Second))
				synctest.Wait()
				close(hold)
				synctest.Wait()
				if got := intervals(link); !slices.Equal(got, []time.Duration{10 * time.Second}) {
					t.Errorf("the device is told to report every %v, want every 10s", got)
				}
			})
		})
	}
}

// intervals gives how often the device was told to report, one after the other.
func intervals(l *line) (all []time.Duration) {
	for _, m := range l.all() {
		switch m := m.(type) {
		case broker.Accepted:
			all = append(all, m.StatusInterval)
		case broker.Resumed:
			all = append(all, m.StatusInterval)
		case broker.Pace:
			all = append(all, m.StatusInterval)
		}
	}
	return all
}
