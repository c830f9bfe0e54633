package device

import (
	"crypto/ecdh"
	"crypto/hpke"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"

	"google.golang.org/protobuf/proto"

	"rollcall/adapters/device/linkpb"
	"rollcall/domain/broker"
)

// A sealed item is a message as it waits for its device on the server's disk. It
// is HPKE (RFC 9180) in base mode, single shot, with DHKEM(X25519, HKDF-SHA256),
// HKDF-SHA256 and ChaCha20Poly1305, for the static key that the device has for
// its links:
//
//	+-------------------+---------------------+----------+
//	| encapsulated key  | ciphertext          | tag      |
//	| 32 bytes          | as long as a frame  | 16 bytes |
//	+-------------------+---------------------+----------+
//
// The info is sealInfo and the item's number, 8 bytes, big-endian; the associated
// data is empty. The plaintext is a frame, see frame.go, that holds an Item
// without a number. Why the one key may serve both: docs/decisions/sealed-items.md.
const sealInfo = "rollcall device link 1: sealed item "

const (
	// sealOverhead is by how much a sealed item is longer than the frame in it.
	sealOverhead = keySize + tagSize
	// maxSealed is the longest sealed item that fits into a record, whatever its
	// number: it does not become shorter by compression.
	maxSealed = maxFrame - 32
)

// Sealer closes messages for devices. The zero value is ready for use.
type Sealer struct {
	// Logger takes which items were too long; nil drops it.
	Logger *slog.Logger
}

var _ broker.Sealer = Sealer{}

// Seal closes a message so that only the device with that public key can open it,
// as the item with that number. In place of a message that is too long for the
// device link it closes a note of it. It gives an error if the key is none. The
// message's strings may be anything; what is not UTF-8 in them is replaced.
func (s Sealer) Seal(key [keySize]byte, number uint64, m broker.MessageReceived) ([]byte, error) {
	item := toItem(broker.Item{Body: m})
	buf := borrow(min(largeBuffer, proto.Size(item)+zstdSlack))
	defer giveBack(buf)
	frame, err := appendSealable(buf.b[:0], item)
	if errors.Is(err, ErrTooLong) {
		if s.Logger != nil {
			s.Logger.Warn("a message is too long for the device link and was dropped", "item", number)
		}
		frame, err = appendSealable(buf.b[:0], toItem(broker.Item{Body: broker.Dropped{Count: 1}}))
	}
	if err != nil {
		return nil, err
	}
	return seal(key, number, frame)
}

// appendSealable appends the frame that holds an item, if that can be sealed.
func appendSealable(dst []byte, m *linkpb.Item) ([]byte, error) {
	size := proto.Size(m)
	if size > maxMessage {
		return nil, ErrTooLong
	}
	plain := borrow(min(largeBuffer, size))
	defer giveBack(plain)
	b, err := proto.MarshalOptions{}.MarshalAppend(plain.b[:0], m)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMessage, err)
	}
	frame, err := appendFrame(dst, b, 0)
	if err != nil || len(frame) > maxSealed-sealOverhead {
		return nil, errors.Join(err, ErrTooLong)
	}
	return frame, nil
}

func seal(key [keySize]byte, number uint64, frame []byte) ([]byte, error) {
	point, err := ecdh.X25519().NewPublicKey(key[:])
	if err != nil {
		return nil, fmt.Errorf("seal item %d: %w", number, err)
	}
	public, err := hpke.NewDHKEMPublicKey(point)
	if err != nil {
		return nil, fmt.Errorf("seal item %d: %w", number, err)
	}
	sealed, err := hpke.Seal(public, hpke.HKDFSHA256(), hpke.ChaCha20Poly1305(), infoOf(number), frame)
	if err != nil {
		return nil, fmt.Errorf("seal item %d: %w", number, err)
	}
	return sealed, nil
}

func infoOf(number uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte(sealInfo), number)
}

// ErrSealed tells that a sealed item cannot be opened: it was closed for another
// key or under another number, or was changed.
var ErrSealed = errors.New("bad sealed item: it is for another device or another place, or was changed")

// unseal gives the body of a sealed item: a message, or a note of one that was too
// long. An error is [ErrSealed], [ErrFrame] or [ErrMessage].
func unseal(key Key, number uint64, sealed broker.Sealed) (any, error) {
	private, err := hpke.NewDHKEMPrivateKey(key.pair)
	if err != nil {
		return nil, fmt.Errorf("open item %d: %w", number, err)
	}
	frame, err := hpke.Open(private, hpke.HKDFSHA256(), hpke.ChaCha20Poly1305(), infoOf(number), sealed)
	if err != nil {
		return nil, ErrSealed
	}
	var m linkpb.Item
	if err := decode(frame, &m); err != nil {
		return nil, err
	}
	switch b := m.GetBody().(type) {
	case *linkpb.Item_Message:
		return fromMessage(b.Message), nil
	case *linkpb.Item_Dropped:
		return broker.Dropped{Count: 1}, nil
	}
	return nil, malformed("sealed item", "empty, or of a newer version")
}

// Unreadable is the body of an item that was sealed and could not be opened. It is
// acknowledged like any other: nobody can send a better one.
type Unreadable struct{ Err error }
