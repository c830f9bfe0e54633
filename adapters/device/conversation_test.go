package device_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/adapters/device"
	"rollcall/domain"
	"rollcall/domain/broker"
)

func TestLoginReachesTheBrokerAndIsAccepted(t *testing.T) {
	h := newHouse(t)
	i := h.join()
	s, err := h.client(i).Login(t.Context(), "chat", "alice", "correct")
	if err != nil {
		t.Fatalf("Login = %v", err)
	}
	want := []broker.Login{{Device: i.Device(), Service: "chat", Account: "alice", Password: "correct", Address: "192.0.2.1:4711"}}
	if diff := cmp.Diff(want, h.broker.logins); diff != "" {
		t.Errorf("login at the broker (-want +got):\n%s", diff)
	}
	if h.broker.session(s.ID()) == nil {
		t.Errorf("ID = %d, which is no session of the broker's", s.ID())
	}
	saved := []device.SavedSession{{Service: "chat", Account: "alice", Session: s.ID()}}
	if diff := cmp.Diff(saved, i.Sessions()); diff != "" {
		t.Errorf("saved (-want +got):\n%s", diff)
	}
	s.Logout()
	if err := s.Run(t.Context(), device.Handler{}); err != nil {
		t.Errorf("Run after Logout = %v", err)
	}
	if left := i.Sessions(); len(left) != 0 {
		t.Errorf("after a logout still saved: %v", left)
	}
}

func TestLoginRejected(t *testing.T) {
	h := newHouse(t)
	_, err := h.client(h.join()).Login(t.Context(), "chat", "alice", "wrong")
	var rejected *device.RejectedError
	if !errors.As(err, &rejected) {
		t.Fatalf("Login = %v, want a RejectedError", err)
	}
	if rejected.Code != domain.RejectBadCredentials || rejected.RetryAfter != 3*time.Second || rejected.Text != "no" || rejected.Session == 0 {
		t.Errorf("rejected %+v", rejected)
	}
}
