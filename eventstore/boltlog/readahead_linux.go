package boltlog

import (
	"os"

	"golang.org/x/sys/unix"

	"rollcall/eventstore"
)

// aheadBytes is the most that is asked for ahead.
const aheadBytes = 1 << 30

// readAhead has the kernel begin to read the file in one go. bbolt tells it not to
// read ahead, which is right for looking things up and slow for reading
// everything from a cold disk. It is advice: whatever fails is left aside.
func (l *Log) readAhead(from eventstore.Position) {
	if from > l.state.Load().packed.last/2 {
		return
	}
	if f, err := os.Open(l.path); err == nil {
		unix.Fadvise(int(f.Fd()), 0, aheadBytes, unix.FADV_WILLNEED)
		f.Close()
	}
}
