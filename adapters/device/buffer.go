package device

import "sync"

// The sizes of pooled buffers: most records are short, the longest take 64 KiB.
const (
	smallBuffer = 4 << 10
	largeBuffer = 2 + maxRecord
)

// A buffer is borrowed for as long as one record is read or written, so that an
// idle link holds none.
type buffer struct{ b []byte }

var (
	small = sync.Pool{New: func() any { return &buffer{make([]byte, smallBuffer)} }}
	large = sync.Pool{New: func() any { return &buffer{make([]byte, largeBuffer)} }}
)

// borrow gives a buffer of at least n bytes, n up to [largeBuffer].
func borrow(n int) *buffer {
	if n <= smallBuffer {
		return small.Get().(*buffer)
	}
	return large.Get().(*buffer)
}

// giveBack clears what was in the buffer, passwords among it, and returns it.
func giveBack(b *buffer) {
	clear(b.b[:cap(b.b)])
	switch cap(b.b) {
	case smallBuffer:
		small.Put(b)
	case largeBuffer:
		large.Put(b)
	}
}
