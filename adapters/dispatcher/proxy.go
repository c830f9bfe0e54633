package dispatcher

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"

	"github.com/pires/go-proxyproto"
)

// How a PROXY protocol v2 header begins (haproxy's proxy-protocol.txt, section
// 2.2): signature, version and command, family, length of what follows.
const (
	proxyFixedSize  = 16
	proxyLengthAt   = 14
	proxyMostFollow = 1024 // addresses and the extensions that proxies add
)

// ProxyError tells that a router's connection does not begin with a PROXY header
// that can be used.
type ProxyError struct{ Problem string }

func (e *ProxyError) Error() string {
	return "bad PROXY header: " + e.Problem + "; have the router send PROXY protocol version 2 (send-proxy-v2 in HAProxy)"
}

// errHealthCheck tells that a proxy connected for itself, to see whether we are
// here.
var errHealthCheck = errors.New("a proxy's own health check")

// readProxyHeader reads a v2 header and no byte more, so that the connection
// itself can be handed on. It gives the device's address, and fails with a
// [*ProxyError], errHealthCheck, or the error of the reader.
func readProxyHeader(r io.Reader) (netip.AddrPort, error) {
	raw := make([]byte, proxyFixedSize, proxyFixedSize+64)
	if _, err := io.ReadFull(r, raw); err != nil {
		return netip.AddrPort{}, fmt.Errorf("read PROXY header: %w", err)
	}
	if !isProxyHeader(raw) {
		return netip.AddrPort{}, &ProxyError{fmt.Sprintf("the connection begins with %q", raw[:5])}
	}
	follow := int(binary.BigEndian.Uint16(raw[proxyLengthAt:]))
	if follow > proxyMostFollow {
		return netip.AddrPort{}, &ProxyError{fmt.Sprintf("it is %d bytes long", follow)}
	}
	raw = append(raw, make([]byte, follow)...)
	if _, err := io.ReadFull(r, raw[proxyFixedSize:]); err != nil {
		return netip.AddrPort{}, fmt.Errorf("read PROXY header: %w", err)
	}
	return parseProxyHeader(raw)
}

func parseProxyHeader(raw []byte) (netip.AddrPort, error) {
	header, err := proxyproto.Read(bufio.NewReaderSize(bytes.NewReader(raw), len(raw)))
	if err != nil {
		return netip.AddrPort{}, &ProxyError{err.Error()}
	}
	if header.Command.IsLocal() {
		return netip.AddrPort{}, errHealthCheck
	}
	source, ok := header.SourceAddr.(*net.TCPAddr)
	if !ok {
		return netip.AddrPort{}, &ProxyError{"it does not name a TCP address"}
	}
	address := source.AddrPort()
	return netip.AddrPortFrom(address.Addr().Unmap(), address.Port()), nil
}

// isProxyHeader tells whether b begins with the signature.
func isProxyHeader(b []byte) bool { return bytes.HasPrefix(b, proxyproto.SIGV2) }
