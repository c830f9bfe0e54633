package wire

import (
	"encoding/binary"
	"fmt"
	"io"
)

// MaxString is the most bytes in a string.
const MaxString = 65_535

// MaxFrame is the most bytes in a message. Frames that claim more are refused; the
// protocol's own limit of 2 GiB would be a way to take all memory.
const MaxFrame = 1 << 20

// KeepAlive is the byte that keeps a connection alive. It may stand between any
// two frames.
const KeepAlive = 0x80

// FrameError tells of a length that no message has. Text instead of a number
// often means that something else than a Sametime server listens there.
type FrameError struct{ Length uint32 }

func (e *FrameError) Error() string {
	var text [4]byte
	binary.BigEndian.PutUint32(text[:], e.Length)
	for _, b := range text {
		if b < ' ' || b > '~' {
			return fmt.Sprintf("a frame of %d bytes is more than the %d that are taken", e.Length, MaxFrame)
		}
	}
	return fmt.Sprintf("no Sametime frame but text that begins with %q", text)
}

// FrameReader reads frames. While it waits it holds a few hundred bytes.
type FrameReader struct {
	from io.Reader
	rest []byte // read and not yet used
	buf  [512]byte
}

// NewFrameReader gives a reader of the frames in a byte stream.
func NewFrameReader(from io.Reader) *FrameReader { return &FrameReader{from: from} }

// Wait returns when the first byte of a frame is there; single bytes between
// frames are skipped.
func (r *FrameReader) Wait() error {
	for {
		for len(r.rest) > 0 && r.rest[0]&0x80 != 0 {
			r.rest = r.rest[1:]
		}
		if len(r.rest) > 0 {
			return nil
		}
		n, err := r.from.Read(r.buf[:])
		r.rest = r.buf[:n]
		if n == 0 && err != nil {
			return err
		}
	}
}

// Next gives the bytes of the next frame that is not empty. A length that cannot
// be is a *[FrameError]; an end within a frame is [io.ErrUnexpectedEOF]. The bytes
// are the caller's.
func (r *FrameReader) Next() ([]byte, error) {
	for {
		if err := r.Wait(); err != nil {
			return nil, err
		}
		var size [4]byte
		if err := r.full(size[:]); err != nil {
			return nil, err
		}
		n := binary.BigEndian.Uint32(size[:])
		if n > MaxFrame {
			return nil, &FrameError{n}
		}
		if n > 0 {
			return r.body(int(n))
		}
	}
}

// grain is how much memory a frame gets before its bytes have come.
const grain = 16 << 10

// body reads n bytes. What is made beforehand is bounded by what has come.
func (r *FrameReader) body(n int) ([]byte, error) {
	b := make([]byte, 0, min(n, grain))
	for len(b) < n {
		more := min(n-len(b), max(grain, len(b)))
		b = append(b, make([]byte, more)...)
		if err := r.full(b[len(b)-more:]); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// full fills b; the stream must not end in it.
func (r *FrameReader) full(b []byte) error {
	n := copy(b, r.rest)
	r.rest = r.rest[n:]
	_, err := io.ReadFull(r.from, b[n:])
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
