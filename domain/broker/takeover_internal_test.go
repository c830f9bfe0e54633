package broker

import (
	"errors"
	"testing"

	"rollcall/domain"
)

// TestSupersededSessionTakesNoMailbox has a session reach for its mailbox, as one
// does that sleeps and is written to, after the device's next one has it.
func TestSupersededSessionTakesNoMailbox(t *testing.T) {
	b := &Broker{seq: new(sequencer), inbox: NewMemoryInbox(), mailboxes: make(map[MailboxID]*mailbox)}
	old, next := &session{b: b, id: 1}, &session{b: b, id: 2}
	for _, s := range []*session{old, next} {
		if err := s.openMailbox(t.Context(), 0); err != nil {
			t.Fatal(err)
		}
	}
	for name, take := range map[string]func() error{
		"written to": old.holdMailbox,
		"resumed":    func() error { return old.openMailbox(t.Context(), 0) },
	} {
		if err := take(); !errors.Is(err, domain.ErrUnknownSession) {
			t.Errorf("%s: %v, want ErrUnknownSession", name, err)
		}
		if next.box.owner != next {
			t.Errorf("%s: the older session has taken the mailbox of the newer one", name)
		}
	}
	if next.yielded || !old.yielded {
		t.Errorf("the older session forgets letters: %v, the newer one: %v; want false and true", !old.yielded, !next.yielded)
	}
}
