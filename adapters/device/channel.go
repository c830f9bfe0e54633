package device

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/flynn/noise"
	"google.golang.org/protobuf/proto"
)

const (
	// maxRecord is the longest record's body, in bytes: what its length field,
	// and a Noise message, can hold.
	maxRecord = 65535
	// tagSize is how much longer an encrypted record is than its frame.
	tagSize = 16
	// minRecord is the shortest record's body: a tag and one byte of flags.
	minRecord = tagSize + 1
	// firstRead is how much a link reads before it borrows a buffer.
	firstRead = 64
)

// A channel carries messages over a connection, each in one record:
//
//	+---------------------+---------------------------+
//	| length, big-endian  | ciphertext and tag        |
//	| 2 bytes             | length bytes              |
//	+---------------------+---------------------------+
//
// One goroutine may read and any number may write at the same time.
type channel struct {
	conn net.Conn
	in   *noise.CipherState
	out  *noise.CipherState

	// ahead[start:end] has been read from conn but not yet been used.
	ahead      [firstRead]byte
	start, end int

	writing  sync.Mutex // guards out, and the order of records
	patience time.Duration
	hurried  atomic.Int64 // nanoseconds: of the patience with writing, what is left of it; zero is all
}

// takes gives how long the other end may take to take a record.
func (c *channel) takes() time.Duration {
	return min(c.patience, or(time.Duration(c.hurried.Load()), c.patience))
}

// hurry bounds how long the other end may take to take the last record.
func (c *channel) hurry(patience time.Duration) { c.hurried.Store(int64(patience)) }

// Read gives what was read ahead, then what the connection gives.
func (c *channel) Read(b []byte) (int, error) {
	if c.start < c.end {
		n := copy(b, c.ahead[c.start:c.end])
		c.start += n
		return n, nil
	}
	return c.conn.Read(b)
}

// length reads the length of the next record. It may wait for ever, and holds
// no buffer meanwhile.
func (c *channel) length() (int, error) {
	if err := c.await(2); err != nil {
		return 0, err
	}
	c.start = 2
	return int(binary.BigEndian.Uint16(c.ahead[:])), nil
}

// await reads ahead until there are n bytes, at most [firstRead].
func (c *channel) await(n int) error {
	c.end = copy(c.ahead[:], c.ahead[c.start:c.end])
	c.start = 0
	for c.end < n {
		got, err := c.conn.Read(c.ahead[c.end:])
		c.end += got
		if err != nil && c.end < n {
			return err
		}
	}
	return nil
}

// receive waits for the next record and decodes the message in it into m.
func (c *channel) receive(m proto.Message) error {
	n, err := c.length()
	if err != nil {
		return err
	}
	if n < minRecord {
		return fmt.Errorf("%w: %d bytes long", ErrRecord, n)
	}
	buf := borrow(n)
	defer giveBack(buf)
	if err := c.body(buf.b[:n]); err != nil {
		return err
	}
	frame, err := c.in.Decrypt(buf.b[:0], nil, buf.b[:n])
	if err != nil {
		return fmt.Errorf("%w: it was changed on its way", ErrRecord)
	}
	return decode(frame, m)
}

// body fills b with a record's body. Once a record has begun the rest has to
// come soon, or a slow sender would hold a buffer for as long as it likes.
func (c *channel) body(b []byte) error {
	if c.end-c.start < len(b) {
		if err := c.conn.SetReadDeadline(time.Now().Add(c.patience)); err != nil {
			return err
		}
		defer c.conn.SetReadDeadline(time.Time{})
	}
	_, err := io.ReadFull(c, b)
	return err
}

// send writes m as one record, padded to pad bytes of frame.
func (c *channel) send(m proto.Message, pad int) error {
	plain, frame := borrow(proto.Size(m)), (*buffer)(nil)
	defer giveBack(plain)
	b, err := proto.MarshalOptions{}.MarshalAppend(plain.b[:0], m)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrMessage, err)
	}
	frame = borrow(min(largeBuffer, len(b)+pad+zstdSlack))
	defer giveBack(frame)
	framed, err := appendFrame(frame.b[2:2], b, pad)
	if err != nil {
		return err
	}
	return c.write(framed)
}

// zstdSlack is by how much an attempt to compress may lengthen a message, and
// the frame's own bytes.
const zstdSlack = 64

// write encrypts a frame and writes it, within the channel's patience.
func (c *channel) write(frame []byte) error {
	buf := borrow(2 + len(frame) + tagSize)
	defer giveBack(buf)
	c.writing.Lock()
	defer c.writing.Unlock()
	record, err := c.out.Encrypt(buf.b[:2], nil, frame)
	if err != nil {
		return fmt.Errorf("encrypt record: %w", err)
	}
	binary.BigEndian.PutUint16(record, uint16(len(record)-2))
	if err := c.conn.SetWriteDeadline(time.Now().Add(c.takes())); err != nil {
		return err
	}
	_, err = c.conn.Write(record)
	return err
}

// decode decodes the message in a frame into m.
func decode(frame []byte, m proto.Message) error {
	scratch := borrow(0)
	defer giveBack(scratch)
	b, err := parseFrame(frame, scratch.b)
	if err != nil {
		return err
	}
	if err := proto.Unmarshal(b, m); err != nil {
		return fmt.Errorf("%w: not in protobuf's wire format", ErrMessage)
	}
	return nil
}
