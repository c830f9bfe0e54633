package device_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"rollcall/domain/broker"
)

// Whatever the server hears, the disk knows before it does.
func TestDiskKnowsFirst(t *testing.T) {
	h := newHouse(t)
	i := h.join()
	checks := 0
	h.broker.received = func(m broker.FromDevice) {
		received, outbox := i.OnDisk("chat")
		checks++
		switch m := m.(type) {
		case broker.Ack:
			if received < m.Number {
				t.Errorf("item %d is acknowledged, the disk knows of %d", m.Number, received)
			}
		case broker.Send:
			if !slices.Contains(outbox, m.ID) {
				t.Errorf("message %s is sent, the disk knows of %q", m.ID, outbox)
			}
		}
	}
	s, err := h.client(i).Login(t.Context(), "chat", "alice", "correct")
	if err != nil {
		t.Fatal(err)
	}
	at := h.broker.session(s.ID())
	var got seen
	done := background(s, got.handler())
	for k := range 50 {
		at.deliver(broker.MessageReceived{From: "bob", Body: fmt.Sprint(k)})
		if _, err := s.Send("bob", fmt.Sprint(k)); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "all acknowledged and answered", func() bool {
		at.mu.Lock()
		defer at.mu.Unlock()
		got.mu.Lock()
		defer got.mu.Unlock()
		return len(at.unacked) == 0 && len(got.sent) == 50 && len(got.items) == 50
	})
	s.Logout()
	if err := <-done; err != nil || checks < 51 {
		t.Errorf("Run = %v after %d checks", err, checks)
	}
}

func TestSendThatCannotBeKeptIsNotSent(t *testing.T) {
	h := newHouse(t)
	i := h.join()
	s, err := h.client(i).Login(t.Context(), "chat", "alice", "correct")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Unlink()
	if err := os.RemoveAll(filepath.Dir(i.Path())); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Send("bob", "hello"); err == nil {
		t.Error("Send = nil although the message could not be written to the disk")
	}
	if n := i.Sessions()[0].Unanswered; n != 0 {
		t.Errorf("%d messages are kept for sending", n)
	}
}
