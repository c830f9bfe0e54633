package xmpp

import (
	"bytes"
	"errors"
	"io"
	"sync"
)

// The bounds on what a server may send. A stanza that is larger, deeper or has
// more parts ends the stream: nothing a server says takes unbounded memory.
const (
	maxStanzaBytes = 1 << 20 // a roster of some ten thousand contacts
	maxUnauthBytes = 64 << 10
	maxStanzaDepth = 32
	maxStanzaParts = 65_536 // elements and pieces of text
)

var errTooBig = errors.New("the server sent more in one element than is taken")

// idleBuffer is what a session that waits for its server holds; busyBuffer is
// borrowed while a stanza comes in.
const (
	idleBuffer = 64
	busyBuffer = 8 << 10
)

var busyBuffers = sync.Pool{New: func() any { return new([busyBuffer]byte) }}

// input reads a stream byte by byte, so that a decoder on it never takes more
// than its stanza, and counts what one stanza takes. It implements io.ByteReader.
type input struct {
	from   io.Reader
	prefix []byte // read in front of what comes from the server; not counted
	budget int    // what the current stanza may still take
	rest   []byte // read and not yet used
	busy   *[busyBuffer]byte
	idle   [idleBuffer]byte
	err    error
}

// ReadByte gives the next byte of the prefix, then of the stream.
func (in *input) ReadByte() (byte, error) {
	if len(in.prefix) > 0 {
		b := in.prefix[0]
		in.prefix = in.prefix[1:]
		return b, nil
	}
	if in.budget <= 0 {
		return 0, errTooBig
	}
	if len(in.rest) == 0 {
		if in.busy == nil {
			in.busy = busyBuffers.Get().(*[busyBuffer]byte)
		}
		if err := in.fill(in.busy[:]); err != nil {
			return 0, err
		}
	}
	in.budget--
	b := in.rest[0]
	in.rest = in.rest[1:]
	return b, nil
}

// Read is there for the decoder's signature; it reads what ReadByte would.
func (in *input) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	b, err := in.ReadByte()
	if err != nil {
		return 0, err
	}
	p[0] = b
	return 1, nil
}

func (in *input) fill(buffer []byte) error {
	for in.err == nil {
		n, err := in.from.Read(buffer)
		in.err = err
		if n > 0 {
			in.rest = buffer[:n]
			return nil
		}
	}
	return in.err
}

// skipSpace waits, on the small buffer, for the first byte that is no white
// space between stanzas. Each time it has read some it calls heard.
func (in *input) skipSpace(heard func()) error {
	for {
		if in.rest = trimSpace(in.rest); len(in.rest) > 0 {
			return nil
		}
		in.release()
		if err := in.fill(in.idle[:]); err != nil {
			return err
		}
		heard()
	}
}

// await waits for something to be read, on the small buffer. The error of a read
// that fails is for the next one to give.
func (in *input) await(heard func()) {
	if in.fill(in.idle[:]) == nil {
		heard()
	}
}

// isIdle tells whether there is nothing left to work off.
func (in *input) isIdle() bool {
	in.rest = trimSpace(in.rest)
	in.release()
	return len(in.rest) == 0 && in.err == nil
}

// release gives the borrowed buffer back once nothing unread is in it.
func (in *input) release() {
	if in.busy != nil && len(in.rest) == 0 {
		busyBuffers.Put(in.busy)
		in.busy, in.rest = nil, nil
	}
}

func trimSpace(b []byte) []byte { return bytes.TrimLeft(b, " \n\r\t") }
