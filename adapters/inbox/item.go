package inbox

import (
	"encoding/binary"
	"hash/crc32"

	"rollcall/domain/broker"
)

const sumSize = crc32.Size

// The row of a letter, and of a note:
//
//	0  form      1   1: letter            0  form      1   2: note
//	1  sealed        to the end           1  dropped   8   at least 1
const (
	formLetter = 1
	formNote   = 2
)

func encodeLetter(sealed []byte) []byte {
	b := make([]byte, 0, 1+len(sealed)+sumSize)
	return append(append(b, formLetter), sealed...)
}

func encodeNote(dropped uint64) []byte {
	b := make([]byte, 0, 1+8+sumSize)
	return binary.BigEndian.AppendUint64(append(b, formNote), dropped)
}

// item is the row of a letter or a note.
type item struct {
	number  uint64
	dropped uint64 // zero in a letter
	sealed  []byte // part of the row
}

// decodeItem takes the value of a letter or a note apart; false if it is neither.
func decodeItem(number uint64, b []byte) (it item, ok bool) {
	if len(b) == 0 || number == 0 {
		return it, false
	}
	it.number = number
	switch b[0] {
	case formLetter:
		it.sealed = b[1:]
		return it, true
	case formNote:
		if len(b) != 9 {
			return it, false
		}
		it.dropped = binary.BigEndian.Uint64(b[1:])
		return it, it.dropped > 0 && it.dropped <= number
	}
	return it, false
}

func (it item) isNote() bool { return it.dropped > 0 }

// first gives the lowest number that the row stands for.
func (it item) first() uint64 { return it.number - max(it.dropped, 1) + 1 }

// kept gives the row as others see it, with a copy of what it holds.
func (it item) kept() broker.Kept {
	k := broker.Kept{Number: it.number, Dropped: it.dropped}
	if !it.isNote() {
		k.Sealed = append(make([]byte, 0, len(it.sealed)), it.sealed...)
	}
	return k
}
