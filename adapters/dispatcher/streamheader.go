package dispatcher

import (
	"encoding/binary"
	"fmt"
	"io"
	"net/netip"
)

// The layout of a stream's header is drawn in doc.go.
const (
	streamHeaderSize    = 20
	streamHeaderVersion = 1
)

// StreamHeaderError tells that a stream does not begin with a header that this
// version knows.
type StreamHeaderError struct{ Problem string }

func (e *StreamHeaderError) Error() string {
	return "bad stream header: " + e.Problem + "; run the same version of rollcall at both ends"
}

// appendStreamHeader appends the header for a device at peer. The zero AddrPort
// stands for an address that is not known.
func appendStreamHeader(b []byte, peer netip.AddrPort) []byte {
	b = append(b, streamHeaderVersion, 0)
	b = binary.BigEndian.AppendUint16(b, peer.Port())
	var address [16]byte
	if peer.Addr().IsValid() {
		address = peer.Addr().As16()
	}
	return append(b, address[:]...)
}

// readStreamHeader reads a header and no more. It fails with a
// [*StreamHeaderError], or with the error of the reader.
func readStreamHeader(r io.Reader) (netip.AddrPort, error) {
	var b [streamHeaderSize]byte
	if _, err := io.ReadFull(r, b[:]); err != nil {
		return netip.AddrPort{}, fmt.Errorf("read stream header: %w", err)
	}
	if b[0] != streamHeaderVersion || b[1] != 0 {
		return netip.AddrPort{}, &StreamHeaderError{fmt.Sprintf("version %d.%d", b[0], b[1])}
	}
	port := binary.BigEndian.Uint16(b[2:])
	address := [16]byte(b[4:])
	if port == 0 && address == [16]byte{} {
		return netip.AddrPort{}, nil
	}
	return netip.AddrPortFrom(netip.AddrFrom16(address).Unmap(), port), nil
}

// peerAddress reads the address of a device as the router gives it.
func peerAddress(peer string) netip.AddrPort {
	address, err := netip.ParseAddrPort(peer)
	if err != nil {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(address.Addr().Unmap().WithZone(""), address.Port())
}

// peerText is the other way.
func peerText(peer netip.AddrPort) string {
	if !peer.IsValid() {
		return "unknown"
	}
	return peer.String()
}
