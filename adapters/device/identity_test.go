package device_test

import (
	"os"
	"path/filepath"
	"testing"
)

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
