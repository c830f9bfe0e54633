package broker_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/domain"
	"rollcall/domain/broker"
)

func TestLoginIsAcceptedOnceItIsOnRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		alice := h.device("alice")
		from := h.log.last() + 1
		session, link := h.login(alice, "alice")
		if session == nil {
			t.Fatalf("the device got %v, want a session", link.all())
		}
		want := []string{"login-requested", "login-admitted", "login-accepted"}
		if diff := cmp.Diff(want, h.log.types(from)); diff != "" {
			t.Error(diff)
		}
		if a, ok := link.all()[0].(broker.Accepted); !ok || a.Session != domain.SessionID(from) || a.StatusInterval != time.Minute {
			t.Errorf("first message = %#v, want the acceptance of session %d", link.all()[0], from)
		}
		if news, ok := link.all()[1].(broker.State); !ok || news.Number != 1 {
			t.Errorf("second message = %#v, want the roster as state 1", link.all()[1])
		}
	})
}

func TestLoginIsRefused(t *testing.T) {
	tests := []struct {
		name    string
		change  func(h *house)
		service domain.ServiceName
		account string
		err     error
		want    domain.RejectCode
	}{
		{name: "unknown service", service: "nowhere", account: "alice", want: domain.RejectUnknownService},
		{name: "a colleague's account", account: "bob", want: domain.RejectNotPermitted},
		{name: "wrong password", account: "alice", err: &broker.UpstreamError{Code: domain.RejectBadCredentials, Text: "no"}, want: domain.RejectBadCredentials},
		{name: "unreachable", account: "alice", err: &broker.UpstreamError{Code: domain.RejectUpstreamUnreachable, Text: "no route"}, want: domain.RejectUpstreamUnreachable},
		{name: "odd error", account: "alice", err: errors.New("odd"), want: domain.RejectUpstreamRefused},
		{name: "full", account: "alice", change: func(h *house) {
			h.configure(maximum(1))
			h.login(h.device("carol"), "carol")
		}, want: domain.RejectServerBusy},
		{name: "total reached", account: "alice", change: func(h *house) {
			h.configure(func(s *domain.Settings) { s.ProtocolTotal = domain.Some(uint32(1)) })
			h.login(h.device("carol"), "carol")
		}, want: domain.RejectFailed300},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHouse(t)
				alice := h.device("alice")
				h.device("bob")
				if tt.change != nil {
					tt.change(h)
				}
				h.up.set(tt.err, nil)
				if tt.service == "" {
					tt.service = "im"
				}
				link := &line{}
				s, err := h.Login(t.Context(), broker.Login{Device: alice, Service: tt.service, Account: tt.account, Password: password}, link)
				if err != nil || s != nil {
					t.Fatalf("Login = %v, %v, want neither session nor error", s, err)
				}
				if got := first[broker.Rejected](t, link); got.Code != tt.want {
					t.Errorf("code = %v, want %v", got.Code, tt.want)
				}
				if e, ok := h.log.records[h.log.last()-1].Event.(*domain.LoginRejected); !ok || e.Code != tt.want {
					t.Errorf("last record = %v, want login-rejected %v", h.log.records[h.log.last()-1], tt.want)
				}
			})
		})
	}
}

func TestUpstreamLoginIsBoundedInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		alice := h.device("alice")
		h.up.set(nil, make(chan struct{}))
		_, link := h.login(alice, "alice")
		if got := first[broker.Rejected](t, link); got.Code != domain.RejectUpstreamTimeout {
			t.Errorf("code = %v, want upstream-timeout", got.Code)
		}
	})
}

func TestUpstreamLoginsAreBoundedInNumber(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		hold := make(chan struct{})
		for range 10 {
			id := h.device("p" + string(rune('a'+h.keys)))
			name := "p" + string(rune('a'+h.keys-1))
			h.up.set(nil, hold)
			go h.Login(t.Context(), broker.Login{Device: id, Service: "im", Account: name, Password: password}, &line{})
		}
		synctest.Wait()
		if h.up.most != 4 {
			t.Errorf("%d upstream logins at once, want the 4 that Connecting allows", h.up.most)
		}
		close(hold)
		synctest.Wait()
		if got := len(h.up.logins); got != 10 {
			t.Errorf("%d upstream logins in all, want 10", got)
		}
	})
}

func TestDeviceThatLeavesDuringLoginFreesItsSeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		alice := h.device("alice")
		h.up.set(nil, make(chan struct{}))
		ctx, cancel := context.WithCancel(t.Context())
		go h.Login(ctx, broker.Login{Device: alice, Service: "im", Account: "alice", Password: password}, &line{})
		synctest.Wait()
		cancel()
		synctest.Wait()
		e, ok := h.log.records[h.log.last()-1].Event.(*domain.LoginRejected)
		if !ok || e.Code != domain.RejectInterrupted {
			t.Errorf("last record = %v, want login-rejected interrupted", h.log.records[h.log.last()-1])
		}
	})
}

func TestSessionEndedWhileItsLoginWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		alice := h.device("alice")
		h.up.set(nil, make(chan struct{}))
		link := &line{}
		id := domain.SessionID(h.log.last() + 1)
		go h.Login(t.Context(), broker.Login{Device: alice, Service: "im", Account: "alice", Password: password}, link)
		synctest.Wait()
		if err := h.EndSession(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if got := first[broker.Rejected](t, link); got.Code != domain.RejectInterrupted {
			t.Errorf("code = %v, want interrupted", got.Code)
		}
	})
}

func TestIdleSessionMakesRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, maximum(1), idle(30*time.Second))
		_, old := h.login(h.device("alice"), "alice")
		talk := h.up.last()
		time.Sleep(31 * time.Second)
		bob := h.device("bob")
		if s, link := h.login(bob, "bob"); s == nil {
			t.Fatalf("the newcomer got %v, want a session", link.all())
		}
		synctest.Wait()
		if n := first[broker.Notice](t, old); !n.IdledOut {
			t.Errorf("notice = %+v, want idled out", n)
		}
		if !talk.isOut() {
			t.Error("the idle session is still logged in upstream")
		}
	})
}

func TestSameDeviceSupersedesItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, maximum(1))
		alice := h.device("alice")
		_, old := h.login(alice, "alice")
		if s, link := h.login(alice, "alice"); s == nil {
			t.Fatalf("the second login got %v, want a session", link.all())
		}
		synctest.Wait()
		if n := first[broker.Notice](t, old); n.Cause != domain.EndSuperseded {
			t.Errorf("notice = %+v, want superseded", n)
		}
	})
}

func TestNobodyIsAnsweredBeforeTheDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		alice := h.device("alice")
		hold := make(chan struct{})
		h.log.hold = hold
		answered := false
		link := &line{}
		go func() {
			h.Login(t.Context(), broker.Login{Device: alice, Service: "im", Account: "alice", Password: password}, link)
			answered = true
		}()
		synctest.Wait()
		if answered || len(link.all()) != 0 || len(h.up.logins) != 0 {
			t.Fatalf("answered = %v, device got %v, before anything was durable", answered, link.all())
		}
		close(hold)
		synctest.Wait()
		if !answered {
			t.Error("the login is not answered after the commit")
		}
	})
}

// TestEndIsToldOnceItIsOnRecord has a device come back while the end of its session is
// on its way to the disk. It waits, for as long as it is there.
func TestEndIsToldOnceItIsOnRecord(t *testing.T) {
	for _, leaves := range []bool{false, true} {
		t.Run(fmt.Sprintf("leaves %v", leaves), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHouse(t)
				alice := h.device("alice")
				session, link := h.login(alice, "alice")
				a, hold, answered := first[broker.Accepted](t, link), make(chan struct{}), make(chan error, 1)
				session.Detach()
				h.log.setHold(hold)
				go h.EndSession(context.Background(), a.Session)
				synctest.Wait()
				ctx, leave := context.WithCancel(t.Context())
				defer leave()
				link = &line{}
				go func() {
					_, err := h.Resume(ctx, broker.Resume{Device: alice, Session: a.Session, Secret: a.Resume}, link)
					answered <- err
				}()
				synctest.Wait()
				if got := link.all(); len(got) != 0 {
					t.Errorf("before anything was durable the device got %v", got)
				}
				if leaves {
					leave()
					if err := <-answered; !errors.Is(err, context.Canceled) {
						t.Errorf("Resume = %v, want the error of its context", err)
					}
				}
				close(hold)
				synctest.Wait()
				if !leaves && first[broker.ResumeRefused](t, link).Cause != domain.EndedByOperator {
					t.Errorf("the device got %v, want why its session is over", link.all())
				}
			})
		})
	}
}

func TestDecisionsGatherWhileTheDiskIsBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		hold := make(chan struct{})
		h.log.hold = hold
		for i := range 50 {
			go h.PermitPerson(t.Context(), "p"+strings.Repeat("x", i), broker.AccountRef{Service: "im", Account: "a"})
		}
		synctest.Wait()
		before := h.log.appends
		close(hold)
		synctest.Wait()
		if got := h.log.appends - before; got > 2 {
			t.Errorf("50 decisions took %d commits, want at most 2: the first ones, and all that gathered meanwhile", got)
		}
	})
}

func TestFailedCommitStopsTheBroker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		alice := h.device("alice")
		h.log.fail = errors.New("no space left")
		link := &line{}
		_, err := h.Login(t.Context(), broker.Login{Device: alice, Service: "im", Account: "alice", Password: password}, link)
		if !errors.Is(err, broker.ErrStopped) || !errors.Is(err, h.log.fail) {
			t.Errorf("Login = %v, want ErrStopped with the cause", err)
		}
		<-h.Failed()
		h.log.fail = nil
		if err := h.EndSession(t.Context(), 1); !errors.Is(err, broker.ErrStopped) {
			t.Errorf("EndSession after the failure = %v, want ErrStopped", err)
		}
		if len(link.all()) != 0 {
			t.Errorf("the device got %v, want nothing", link.all())
		}
	})
}

func TestPasswordsAreNowhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		alice := h.device("alice")
		_, link := h.login(alice, "alice")
		resume := first[broker.Accepted](t, link).Resume
		for key, value := range h.log.sides {
			if bytes.Contains(value, []byte(password)) || bytes.Contains(value, resume) {
				t.Errorf("side record %v holds a secret in the clear", key)
			}
		}
	})
}
