package inbox

import (
	"encoding/binary"
	"math"

	"rollcall/domain"
	"rollcall/domain/broker"
)

// The rows of one mailbox stand together, in this order: its head, its letters and
// notes, its answers.
//
//	 0  device    8
//	 8  account   8
//	16  kind      1
//	17  number    8   not in the head's key
type kind byte

const (
	kindHead    kind = 1
	kindItem    kind = 2 // a letter or a note; the number is its own
	kindAnswers kind = 3 // up to 64 answers; the number counts the rows
)

const (
	prefixSize  = 16
	headKeySize = prefixSize + 1
	rowKeySize  = headKeySize + 8
)

func prefix(id broker.MailboxID) []byte {
	b := make([]byte, 0, rowKeySize)
	b = binary.BigEndian.AppendUint64(b, uint64(id.Device))
	return binary.BigEndian.AppendUint64(b, uint64(id.Account))
}

func headKey(id broker.MailboxID) []byte { return append(prefix(id), byte(kindHead)) }

func itemKey(id broker.MailboxID, number uint64) []byte {
	return binary.BigEndian.AppendUint64(append(prefix(id), byte(kindItem)), number)
}

func answersKey(id broker.MailboxID, number uint64) []byte {
	return binary.BigEndian.AppendUint64(append(prefix(id), byte(kindAnswers)), number)
}

// rowKey is a key taken apart.
type rowKey struct {
	id     broker.MailboxID
	kind   kind
	number uint64 // zero in a head's
}

// parseKey takes a key apart; false if it is none of a row.
func parseKey(b []byte) (k rowKey, ok bool) {
	if len(b) < headKeySize {
		return k, false
	}
	k.id = broker.MailboxID{
		Device:  domain.DeviceID(binary.BigEndian.Uint64(b)),
		Account: domain.AccountID(binary.BigEndian.Uint64(b[8:])),
	}
	switch k.kind = kind(b[prefixSize]); k.kind {
	case kindHead:
		return k, len(b) == headKeySize
	case kindItem, kindAnswers:
		if len(b) != rowKeySize {
			return k, false
		}
		k.number = binary.BigEndian.Uint64(b[headKeySize:])
		return k, true
	}
	return k, false
}

// behind gives the first key behind all rows of a mailbox, nil if there can be none.
func behind(id broker.MailboxID) []byte {
	switch {
	case id.Account < math.MaxUint64:
		return prefix(broker.MailboxID{Device: id.Device, Account: id.Account + 1})
	case id.Device < math.MaxUint64:
		return prefix(broker.MailboxID{Device: id.Device + 1})
	}
	return nil
}
