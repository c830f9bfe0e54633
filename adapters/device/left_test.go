package device_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/adapters/device"
	"rollcall/domain"
	"rollcall/domain/broker"
)

// A visit is a session in whose time some messages are sent, of which none is
// answered, and which then ends.
type visit struct {
	account string
	sends   []string
	end     broker.Notice // zero: the next login supersedes it
}

func (v visit) pay(t *testing.T, c *device.Client) *device.Session {
	t.Helper()
	s, err := c.Login(t.Context(), "chat", v.account, "correct")
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range v.sends {
		if err := s.SendAs(broker.Send{ID: id, To: "bob", Body: "text of " + id}); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// TestNextLoginSendsWhatWasNotAnswered ends sessions in every way, also with the
// device started anew.
func TestNextLoginSendsWhatWasNotAnswered(t *testing.T) {
	idledOut, operator, logout := broker.Notice{IdledOut: true}, broker.Notice{Cause: domain.EndedByOperator}, broker.Notice{Cause: domain.EndLogout}
	for _, c := range []struct {
		name   string
		visits []visit
		want   []string      // of what alice's next session has to say
		left   []device.Left // then, for others
	}{
		{"superseded", []visit{{account: "alice", sends: []string{"1", "2"}}}, []string{"1", "2"}, nil},
		{"idled out", []visit{{account: "alice", sends: []string{"1", "2"}, end: idledOut}}, []string{"1", "2"}, nil},
		{"ended by an operator", []visit{{account: "alice", sends: []string{"1"}, end: operator}}, []string{"1"}, nil},
		{"logged out", []visit{{account: "alice", sends: []string{"1"}, end: logout}}, []string{"1"}, nil},
		{"one after the other", []visit{
			{account: "alice", sends: []string{"1", "2"}, end: idledOut},
			{account: "alice", sends: []string{"3"}},
			{account: "alice", sends: []string{"4"}, end: operator},
		}, []string{"1", "2", "3", "4"}, nil},
		{"another account", []visit{
			{account: "alice", sends: []string{"1"}},
			{account: "carol", sends: []string{"2", "3"}},
			{account: "alice", sends: []string{"4"}},
		}, []string{"1", "4"}, []device.Left{{Service: "chat", Account: "carol", Unanswered: 2}}},
		{"nothing to say", []visit{{account: "alice", end: operator}}, nil, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHouse(t)
			i := h.join()
			path := i.Path()
			for _, v := range c.visits {
				h.broker.hush(true)
				s := v.pay(t, h.client(i))
				waiting := s.Unanswered()
				if v.end != (broker.Notice{}) {
					done := background(s, device.Handler{})
					h.broker.session(s.ID()).end(v.end)
					<-done
					if err := s.SendAs(broker.Send{ID: "late", To: "bob"}); !errors.Is(err, device.ErrSessionOver) {
						t.Errorf("a message for a session that is over: %v, want ErrSessionOver", err)
					}
				}
				if got := s.Unanswered(); got != waiting {
					t.Errorf("%d messages are unanswered after the session, want %d", got, waiting)
				}
				s.Unlink()
				if err := i.Close(); err != nil {
					t.Fatal(err)
				}
				var err error
				if i, err = device.OpenIdentity(path); err != nil {
					t.Fatal(err)
				}
			}
			defer func() { i.Close() }()
			h.broker.hush(false)
			s := visit{account: "alice"}.pay(t, h.client(i))
			if diff := cmp.Diff(c.left, i.Left()); diff != "" {
				t.Errorf("what is left (-want +got):\n%s", diff)
			}
			var got seen
			done := background(s, got.handler())
			s.Logout()
			if err := <-done; err != nil {
				t.Fatal(err)
			}
			var sent []string
			for _, m := range got.sent {
				sent = append(sent, m.ID)
			}
			if diff := cmp.Diff(c.want, sent); diff != "" {
				t.Errorf("answered in the next session (-want +got):\n%s", diff)
			}
			if s.Unanswered() != 0 {
				t.Errorf("%d are still unanswered", s.Unanswered())
			}
		})
	}
}

// TestMessageForASupersededSession is told from one that was taken.
func TestMessageForASupersededSession(t *testing.T) {
	h := newHouse(t)
	c := h.client(h.join())
	first := visit{account: "alice"}.pay(t, c)
	visit{account: "alice"}.pay(t, c)
	if _, err := first.Send("bob", "late"); !errors.Is(err, device.ErrSessionOver) {
		t.Errorf("Send in a session that was superseded = %v, want ErrSessionOver", err)
	}
}

func TestSameIDTwice(t *testing.T) {
	h := newHouse(t)
	s := visit{account: "alice", sends: []string{"1"}}.pay(t, h.client(h.join()))
	for id, want := range map[string]error{"1": device.ErrSameID, "2": nil} {
		if err := s.SendAs(broker.Send{ID: id, To: "bob", Body: fmt.Sprint("other text of ", id)}); !errors.Is(err, want) {
			t.Errorf("SendAs(%s) = %v, want %v", id, err, want)
		}
	}
}
