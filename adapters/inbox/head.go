package inbox

import (
	"encoding/binary"
	"slices"
	"time"

	"rollcall/domain/broker"
)

// keptDigests is how many of the latest digests a mailbox knows again.
const keptDigests = 128

const digestSize = 16

// head is how a mailbox stands. Its row:
//
//	 0  key         32   the device's public key; zeros if no letter was put
//	32  last         8   the highest number that was put
//	40  forgotten    8   every number up to this one is safe with the device
//	48  waiting      4   how many letters and notes there are
//	52  bytes        4   of sealed letters
//	56  filled       8   when a letter was put last, in ms since 1970 (two's complement)
//	64  digests     16   each, of the latest letters that have one, oldest first
type head struct {
	key       [32]byte
	last      uint64
	forgotten uint64
	waiting   int
	bytes     int
	filled    int64
	digests   []byte // not to be written to
}

const fixedHeadSize = 64

func (h *head) encode() []byte {
	b := make([]byte, 0, fixedHeadSize+len(h.digests)+sumSize)
	b = append(b, h.key[:]...)
	b = binary.BigEndian.AppendUint64(b, h.last)
	b = binary.BigEndian.AppendUint64(b, h.forgotten)
	b = binary.BigEndian.AppendUint32(b, uint32(h.waiting))
	b = binary.BigEndian.AppendUint32(b, uint32(h.bytes))
	b = binary.BigEndian.AppendUint64(b, uint64(h.filled))
	return append(b, h.digests...)
}

// decodeHead takes a head's value apart; false if it is none. The digests are a
// part of it.
func decodeHead(b []byte) (h head, ok bool) {
	if len(b) < fixedHeadSize || (len(b)-fixedHeadSize)%digestSize != 0 || len(b) > fixedHeadSize+keptDigests*digestSize {
		return h, false
	}
	h = head{
		key:       [32]byte(b),
		last:      binary.BigEndian.Uint64(b[32:]),
		forgotten: binary.BigEndian.Uint64(b[40:]),
		waiting:   int(binary.BigEndian.Uint32(b[48:])),
		bytes:     int(binary.BigEndian.Uint32(b[52:])),
		filled:    int64(binary.BigEndian.Uint64(b[56:])),
		digests:   b[fixedHeadSize:],
	}
	return h, h.forgotten <= h.last
}

// knows tells whether a letter with that digest was put a short while ago.
func (h *head) knows(d broker.Digest) bool {
	for known := range slices.Chunk(h.digests, digestSize) {
		if broker.Digest(known) == d {
			return true
		}
	}
	return false
}

// learn keeps a digest, in place of the oldest where there are too many.
func (h *head) learn(d broker.Digest) {
	if d == (broker.Digest{}) {
		return
	}
	old := h.digests
	if len(old) == keptDigests*digestSize {
		old = old[digestSize:]
	}
	h.digests = slices.Concat(old, d[:])
}

func (h *head) mailbox(id broker.MailboxID) broker.Mailbox {
	m := broker.Mailbox{ID: id, Key: h.key, Last: h.last, Waiting: h.waiting, Bytes: h.bytes}
	if h.last > 0 {
		m.Filled = time.UnixMilli(h.filled).UTC()
	}
	return m
}
