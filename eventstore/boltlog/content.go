package boltlog

import (
	"encoding/binary"
	"errors"

	"rollcall/domain"
	"rollcall/eventstore"
)

// What a frame of the journal holds is one batch:
//
//	block length     4
//	Block            the message Block of package codec; nothing if there are no records
//	sides            4
//	  position 8, kind 1, length 4, value     for each
//	forgets          4
//	  position 8, kind 1                      for each
//
// Numbers are big-endian. A frame without content is the mark of a log that was
// closed.

const keySize = 9

var errContent = errors.New("a frame of the journal holds no batch")

// appendContent appends a batch, whose records are in block.
func appendContent(dst, block []byte, batch eventstore.Batch) []byte {
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(block)))
	dst = append(dst, block...)
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(batch.Sides)))
	for _, s := range batch.Sides {
		dst = appendSideKey(dst, s.SideKey)
		dst = binary.BigEndian.AppendUint32(dst, uint32(len(s.Value)))
		dst = append(dst, s.Value...)
	}
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(batch.Forget)))
	for _, k := range batch.Forget {
		dst = appendSideKey(dst, k)
	}
	return dst
}

// parseContent reads a frame's content. What it gives lies in b.
func parseContent(b []byte) (block []byte, sides []eventstore.Side, forget []eventstore.SideKey, err error) {
	if len(b) == 0 {
		return nil, nil, nil, nil
	}
	c := contentReader{b: b}
	block = c.bytes(c.count())
	for range c.items(keySize + 4) {
		k := c.key()
		sides = append(sides, eventstore.Side{SideKey: k, Value: c.bytes(c.count())})
	}
	for range c.items(keySize) {
		forget = append(forget, c.key())
	}
	if c.bad || len(c.b) != 0 {
		return nil, nil, nil, errContent
	}
	return block, sides, forget, nil
}

// contentReader reads a content's parts; what it gives is void once it is bad.
type contentReader struct {
	b   []byte
	bad bool
}

func (c *contentReader) bytes(n int) []byte {
	if n > len(c.b) {
		c.bad, n = true, 0
	}
	part := c.b[:n:n]
	c.b = c.b[n:]
	return part
}

func (c *contentReader) count() int {
	b := c.bytes(4)
	if c.bad {
		return 0
	}
	return int(binary.BigEndian.Uint32(b))
}

// items reads how many items of at least that size follow.
func (c *contentReader) items(size int) int {
	n := c.count()
	if n > len(c.b)/size {
		c.bad, n = true, 0
	}
	return n
}

func (c *contentReader) key() eventstore.SideKey {
	b := c.bytes(keySize)
	if c.bad {
		return eventstore.SideKey{}
	}
	return eventstore.SideKey{Position: keyPosition(b), Kind: domain.SideKind(b[8])}
}

func appendSideKey(dst []byte, k eventstore.SideKey) []byte {
	return append(binary.BigEndian.AppendUint64(dst, uint64(k.Position)), byte(k.Kind))
}
