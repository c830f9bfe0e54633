package snapshot

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"reflect"

	"google.golang.org/protobuf/encoding/protowire"

	"rollcall/domain"
	"rollcall/domain/broker"
	"rollcall/eventstore"
	"rollcall/eventstore/codec"
)

// A snapshot is stored as
//
//	 0   magic      4    "RCSN"
//	 4   format     4    1
//	 8   log        16   the log's id
//	24   position   8    up to which the log is in it: the end of a block
//	32   digest     32   of the log's chain there
//	64   maker      32   what made it, see makerOf
//	96   content         the message Snapshot
//	     checksum   32   SHA-256 over everything in front
//
// and the message Snapshot as
//
//	1  ledger    what codec.AppendState writes
//	2  ended     repeated: session 1, device 2, cause 3, idled out 4, account 5
//
// Numbers in the head are big-endian. The magic and the checksum stand there in every
// format.
const (
	magic  = "RCSN"
	format = 1

	headSize = 96
)

// head is what a snapshot says of itself.
type head struct {
	log   domain.LogID
	at    eventstore.Boundary
	maker maker
}

// maker tells the code that made a snapshot from any other: one that folds records
// otherwise, or keeps something more, must not go on from it.
type maker [sha256.Size]byte

// makerOf gives the maker of a version of the program: a digest of the version, and
// of every field that a snapshot has, because versions under development have one
// name.
func makerOf(version string) maker {
	return sha256.Sum256([]byte(version + "\n" + shape(reflect.TypeFor[broker.Snapshot]())))
}

// shape tells a type with all that is in it.
func shape(t reflect.Type) string {
	text := t.String()
	switch t.Kind() {
	case reflect.Struct:
		for i := range t.NumField() {
			if f := t.Field(i); t.PkgPath() != "time" {
				text += fmt.Sprintf(" %s(%s)", f.Name, shape(f.Type))
			}
		}
	case reflect.Slice:
		text += " " + shape(t.Elem())
	case reflect.Map:
		text += " " + shape(t.Key()) + " " + shape(t.Elem())
	}
	return text
}

func encode(h head, s broker.Snapshot) ([]byte, error) {
	ledger, err := codec.AppendState(nil, s.Ledger)
	if err != nil {
		return nil, err
	}
	b := make([]byte, 0, headSize+len(ledger)+16*len(s.Ended)+sha256.Size+16)
	b = append(b, magic...)
	b = binary.BigEndian.AppendUint32(b, format)
	b = append(b, h.log[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(h.at.Position))
	b = append(b, h.at.Digest[:]...)
	b = append(b, h.maker[:]...)
	b = protowire.AppendTag(b, 1, protowire.BytesType)
	b = protowire.AppendBytes(b, ledger)
	var one []byte
	for _, e := range s.Ended {
		one = appendEnded(one[:0], e)
		b = protowire.AppendTag(b, 2, protowire.BytesType)
		b = protowire.AppendBytes(b, one)
	}
	sum := sha256.Sum256(b)
	return append(b, sum[:]...), nil
}

func appendEnded(b []byte, e broker.Ended) []byte {
	for i, v := range []uint64{uint64(e.Session), uint64(e.Device), uint64(e.Cause), protowire.EncodeBool(e.IdledOut), uint64(e.Account)} {
		if v != 0 {
			b = protowire.AppendTag(b, protowire.Number(i+1), protowire.VarintType)
			b = protowire.AppendVarint(b, v)
		}
	}
	return b
}

// parse reads the head of a file that is whole, and gives the rest. The error says
// why it cannot be used.
func parse(b []byte) (h head, content []byte, err error) {
	end := len(b) - sha256.Size
	switch {
	case end < 8 || string(b[:4]) != magic:
		return h, nil, fmt.Errorf("it is no snapshot, or cut off")
	case sha256.Sum256(b[:end]) != [sha256.Size]byte(b[end:]):
		return h, nil, fmt.Errorf("its checksum is wrong")
	}
	if found := binary.BigEndian.Uint32(b[4:]); found != format {
		return h, nil, fmt.Errorf("it has format %d, and this version of rollcall knows format %d", found, format)
	}
	if end < headSize {
		return h, nil, fmt.Errorf("its head is too short")
	}
	copy(h.log[:], b[8:])
	h.at.Position = domain.Position(binary.BigEndian.Uint64(b[24:]))
	copy(h.at.Digest[:], b[32:])
	copy(h.maker[:], b[64:])
	return h, b[headSize:end], nil
}

// decode reads the message Snapshot.
func decode(b []byte) (s broker.Snapshot, err error) {
	ledger := []byte(nil)
	for len(b) > 0 {
		number, typ, n := protowire.ConsumeTag(b)
		if n < 0 {
			return s, protowire.ParseError(n)
		}
		b = b[n:]
		if typ != protowire.BytesType {
			return s, fmt.Errorf("field %d is no message", number)
		}
		value, n := protowire.ConsumeBytes(b)
		if n < 0 {
			return s, protowire.ParseError(n)
		}
		b = b[n:]
		switch number {
		case 1:
			ledger = value
		case 2:
			e, err := parseEnded(value)
			if err != nil {
				return s, err
			}
			s.Ended = append(s.Ended, e)
		default:
			return s, fmt.Errorf("it has the field %d, which this version of rollcall does not know", number)
		}
	}
	s.Ledger, err = codec.DecodeState(ledger)
	return s, err
}

func parseEnded(b []byte) (e broker.Ended, err error) {
	for len(b) > 0 {
		number, typ, n := protowire.ConsumeTag(b)
		if n < 0 || typ != protowire.VarintType {
			return e, fmt.Errorf("an ended session cannot be read")
		}
		v, m := protowire.ConsumeVarint(b[n:])
		if m < 0 {
			return e, protowire.ParseError(m)
		}
		b = b[n+m:]
		switch number {
		case 1:
			e.Session = domain.SessionID(v)
		case 2:
			e.Device = domain.DeviceID(v)
		case 3:
			e.Cause = domain.EndCause(v)
		case 4:
			e.IdledOut = protowire.DecodeBool(v)
		case 5:
			e.Account = domain.AccountID(v)
		}
	}
	return e, nil
}
