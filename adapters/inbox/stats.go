package inbox

import (
	"math/bits"

	"rollcall/domain/broker"
)

// Stats tell how an inbox stands and what it has done since it was opened.
type Stats struct {
	Mailboxes int    // that there are, also those where nothing waits
	Waiting   int    // letters and notes
	Bytes     int    // of sealed letters
	Dropped   uint64 // letters that gave way to a note
	Commits   uint64 // transactions that were written
	Changes   uint64 // puts, answers, drops and forgets in them
	// Gathered counts the commits by how many changes they held: [0] those of
	// one, [1] of up to 2, [2] of up to 4, and so on; the last all the larger ones.
	Gathered [11]uint64
	FileSize int64 // of inbox.db, in bytes
}

// Stats gives how the inbox stands.
func (i *Inbox) Stats() Stats {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.stats
}

// InboxStats implements [broker.InboxMeter].
func (i *Inbox) InboxStats() broker.InboxStats {
	s := i.Stats()
	return broker.InboxStats{Mailboxes: s.Mailboxes, Letters: s.Waiting, Bytes: s.Bytes, Dropped: s.Dropped}
}

// count notes a commit and what it changed.
func (i *Inbox) count(c *change, changes int) {
	i.mu.Lock()
	defer i.mu.Unlock()
	s := &i.stats
	s.Mailboxes += c.mailboxes
	s.Waiting += c.waiting
	s.Bytes += c.bytes
	s.Dropped += c.dropped
	s.Commits++
	s.Changes += uint64(changes)
	s.Gathered[min(bits.Len(uint(changes-1)), len(s.Gathered)-1)]++
}
