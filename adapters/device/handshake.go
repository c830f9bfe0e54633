package device

import (
	"crypto/ecdh"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/flynn/noise"
	"google.golang.org/protobuf/proto"

	"rollcall/adapters/device/linkpb"
)

// The handshake is Noise_XK_25519_ChaChaPoly_BLAKE2b (The Noise Protocol
// Framework, revision 34). The device is the initiator. The prologue is the
// preamble as it was sent, so that nobody changes it on its way unnoticed. Each
// handshake does its own X25519, see [keys].
var suite = noise.NewCipherSuite(noise.DH25519, noise.CipherChaChaPoly, noise.HashBLAKE2b)

const (
	keySize = 32
	// helloSize is the size of the first two messages: an ephemeral key and the
	// tag over an empty payload.
	helloSize = keySize + tagSize
	// openingOverhead is by how much the third message is longer than its
	// payload: the device's key, encrypted, and two tags.
	openingOverhead = keySize + 2*tagSize
)

// openingSizes are the sizes that the payload of the third message may have: an
// opening is padded to one of them.
var openingSizes = [...]int{256, 512, 2048}

// shake is a handshake under way.
type shake struct {
	*noise.HandshakeState
	keys *keys
}

func handshakeConfig(own *ecdh.PrivateKey, peer []byte, preamble Preamble, initiator bool) noise.Config {
	k := newKeys(own)
	return noise.Config{
		CipherSuite: k, Pattern: noise.HandshakeXK, Initiator: initiator,
		Prologue: preamble.Append(nil), StaticKeypair: k.named(static), PeerStatic: peer,
	}
}

func newShake(own *ecdh.PrivateKey, peer []byte, preamble Preamble, initiator bool) (shake, error) {
	config := handshakeConfig(own, peer, preamble, initiator)
	state, err := noise.NewHandshakeState(config)
	if err != nil {
		return shake{}, fmt.Errorf("prepare handshake: %w", err)
	}
	return shake{state, config.CipherSuite.(*keys)}, nil
}

// answer does the server's part of a handshake on c, whose preamble has been
// read. It gives the device's public key and what it opens the link with.
func answer(c *channel, own *ecdh.PrivateKey, preamble Preamble) (key []byte, opening *linkpb.ToServer, err error) {
	s, err := newShake(own, nil, preamble, false)
	if err != nil {
		return nil, nil, err
	}
	defer s.keys.forget()
	buf := borrow(0)
	defer giveBack(buf)
	if err := s.hello(c, buf.b); err != nil {
		return nil, nil, err
	}
	message, err := readOpening(c, buf.b)
	if err != nil {
		return nil, nil, err
	}
	plain := borrow(0)
	defer giveBack(plain)
	frame, in, out, err := s.ReadMessage(plain.b[:0], message)
	if err != nil {
		return nil, nil, ErrHandshake
	}
	c.in, c.out = in, out
	opening = new(linkpb.ToServer)
	return s.PeerStatic(), opening, decode(frame, opening)
}

// hello reads the first handshake message and answers with the second.
func (s shake) hello(c *channel, b []byte) error {
	if _, err := io.ReadFull(c, b[:helloSize]); err != nil {
		return fmt.Errorf("read handshake: %w", err)
	}
	if _, _, _, err := s.ReadMessage(nil, b[:helloSize]); err != nil {
		return ErrHandshake
	}
	reply, _, _, err := s.WriteMessage(b[:0], nil)
	if err != nil {
		return ErrHandshake
	}
	_, err = c.conn.Write(reply)
	return err
}

// readOpening reads the third handshake message, which has a length in front as
// a record has. Only the sizes of openings are let through, so that a stranger
// cannot ask for a large buffer.
func readOpening(c *channel, b []byte) ([]byte, error) {
	if _, err := io.ReadFull(c, b[:2]); err != nil {
		return nil, fmt.Errorf("read opening: %w", err)
	}
	n := int(binary.BigEndian.Uint16(b))
	if !slices.Contains(openingSizes[:], n-openingOverhead) {
		return nil, fmt.Errorf("%w: opening of %d bytes", ErrRecord, n)
	}
	if _, err := io.ReadFull(c, b[:n]); err != nil {
		return nil, fmt.Errorf("read opening: %w", err)
	}
	return b[:n], nil
}

// initiate does the device's part of a handshake on conn and opens the link.
func initiate(conn net.Conn, own *ecdh.PrivateKey, server []byte, preamble Preamble, opening *linkpb.ToServer) (*channel, error) {
	s, err := newShake(own, server, preamble, true)
	if err != nil {
		return nil, err
	}
	defer s.keys.forget()
	payload, err := appendOpening(nil, opening)
	if err != nil {
		return nil, err
	}
	first, _, _, err := s.WriteMessage(preamble.Append(nil), nil)
	if err != nil {
		return nil, fmt.Errorf("begin handshake: %w", err)
	}
	if _, err := conn.Write(first); err != nil {
		return nil, fmt.Errorf("begin handshake: %w", err)
	}
	if err := readHello(conn, s); err != nil {
		return nil, err
	}
	message, out, in, err := s.WriteMessage(make([]byte, 2), payload)
	if err != nil {
		return nil, fmt.Errorf("finish handshake: %w", err)
	}
	binary.BigEndian.PutUint16(message, uint16(len(message)-2))
	if _, err := conn.Write(message); err != nil {
		return nil, fmt.Errorf("finish handshake: %w", err)
	}
	return &channel{conn: conn, in: in, out: out, patience: defaultPatience}, nil
}

// readHello reads the server's handshake message, or what it answers with instead.
func readHello(conn net.Conn, s shake) error {
	var b [helloSize]byte
	n, err := io.ReadFull(conn, b[:])
	if n == preambleSize {
		if err := inClear([preambleSize]byte(b[:])); err != nil {
			return err
		}
	}
	if err != nil {
		return &cutOffError{err}
	}
	if _, _, _, err := s.ReadMessage(nil, b[:]); err != nil {
		return ErrHandshake
	}
	return nil
}

// inClear gives what a server says that does not go on with a handshake: that it
// is of another version, or has no time.
func inClear(b [preambleSize]byte) error {
	if later, ok := parseLater(b); ok {
		return &CrowdedError{later}
	}
	if _, err := parsePreamble(b); errors.As(err, new(*VersionError)) {
		return err
	}
	return nil
}

// defaultPatience is how long the rest of a record, or the other end's taking
// of one, may last.
const defaultPatience = 15 * time.Second

// appendOpening appends the payload of the third handshake message. Its size
// tells neither which opening it is, nor the length of a password: for that the
// password counts as long as the limit it keeps to, see [passwordRoom].
func appendOpening(dst []byte, opening *linkpb.ToServer) ([]byte, error) {
	m, err := proto.Marshal(opening)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMessage, err)
	}
	need := paddedHead + len(m)
	if l := opening.GetLogin(); l != nil {
		longest := strings.Repeat("x", passwordRoom(l.GetPassword()))
		need = paddedHead + proto.Size(openLogin(l.GetService(), l.GetAccount(), longest))
	}
	for _, size := range openingSizes {
		if need <= size {
			return appendFrame(dst, m, size)
		}
	}
	return nil, fmt.Errorf("%w: service, account and password", ErrTooLong)
}

// paddedHead is the size of a padded frame's flags and length.
const paddedHead = 3

// MaxPassword is the longest password, in bytes. Up to [shortPassword] the size
// of a login is the same for every length.
const (
	MaxPassword   = 1024
	shortPassword = 128
)

func passwordRoom(password string) int {
	if len(password) <= shortPassword {
		return shortPassword
	}
	return MaxPassword
}
