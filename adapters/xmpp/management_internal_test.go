package xmpp

import "testing"

// handle has so many stanzas come, each with a message, the last of which has that
// number.
func handle(c *Conversation, n int) {
	for range n {
		before := c.message
		c.message++
		c.count(before)
	}
}

// TestAcknowledgementsWhileAStreamIsTakenUp has messages become safe between the
// question to the server, which says what was safe then, and its answer.
func TestAcknowledgementsWhileAStreamIsTakenUp(t *testing.T) {
	c := &Conversation{over: true} // no timer
	c.sm.enabled = true
	handle(c, 10)
	c.Acknowledge(4)
	from := c.sm.safe()
	if from != 4 {
		t.Fatalf("%d stanzas are safe, want 4", from)
	}
	c.Acknowledge(8)
	c.sm.goBack(from)
	for came := uint32(5); came <= 10; came++ {
		if !c.repeated() {
			t.Fatalf("stanza %d was handled before, and is taken for a new one", came)
		}
		if safe := c.sm.safe(); safe != min(came, 8) {
			t.Errorf("when %d stanzas have come again, %d are told to be safe, want %d", came, safe, min(came, 8))
		}
	}
	if c.repeated() {
		t.Error("a new stanza is taken for one that was handled before")
	}
	handle(c, 1)
	if c.Acknowledge(11); c.sm.safe() != 11 {
		t.Errorf("%d stanzas are safe in the end, want 11", c.sm.safe())
	}
}

func TestHeldMessagesAreKeptWhileStanzasComeAgain(t *testing.T) {
	c := &Conversation{over: true}
	c.sm.enabled = true
	handle(c, 3)
	c.sm.goBack(c.sm.safe()) // nothing is safe
	c.Acknowledge(1)
	c.sm.safe()
	for c.repeated() {
	}
	if safe := c.sm.safe(); safe != 1 {
		t.Errorf("%d stanzas are told to be safe, want 1: the others are not with the broker yet", safe)
	}
}
