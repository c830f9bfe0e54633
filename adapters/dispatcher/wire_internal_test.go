package dispatcher

import (
	"bytes"
	"errors"
	"net"
	"net/netip"
	"testing"

	"github.com/pires/go-proxyproto"
)

func TestStreamHeader(t *testing.T) {
	for _, peer := range []string{"192.0.2.1:4711", "[2001:db8::7]:65535", "unknown"} {
		raw := appendStreamHeader(nil, peerAddress(peer))
		if len(raw) != streamHeaderSize {
			t.Errorf("header of %s has %d bytes, want %d", peer, len(raw), streamHeaderSize)
		}
		got, err := readStreamHeader(bytes.NewReader(raw))
		if err != nil || peerText(got) != peer {
			t.Errorf("header of %s reads as %s, %v", peer, peerText(got), err)
		}
	}
	var bad *StreamHeaderError
	if _, err := readStreamHeader(bytes.NewReader(make([]byte, streamHeaderSize))); !errors.As(err, &bad) {
		t.Errorf("version 0: %v, want a *StreamHeaderError", err)
	}
}

func FuzzStreamHeader(f *testing.F) {
	f.Add(appendStreamHeader(nil, netip.MustParseAddrPort("192.0.2.1:4711")))
	f.Add(appendStreamHeader(nil, netip.AddrPort{}))
	f.Fuzz(func(t *testing.T, b []byte) {
		r := bytes.NewReader(b)
		peer, err := readStreamHeader(r)
		if err != nil {
			return
		}
		if r.Len() != len(b)-streamHeaderSize {
			t.Errorf("readStreamHeader left %d bytes of %d", r.Len(), len(b))
		}
		again, err := readStreamHeader(bytes.NewReader(appendStreamHeader(nil, peer)))
		if err != nil || again != peer {
			t.Errorf("%v written and read again = %v, %v", peer, again, err)
		}
	})
}

func FuzzProxyHeader(f *testing.F) {
	for _, transport := range []proxyproto.AddressFamilyAndProtocol{proxyproto.TCPv4, proxyproto.TCPv6, proxyproto.UDPv4} {
		h := proxyproto.Header{Version: 2, Command: proxyproto.PROXY, TransportProtocol: transport,
			SourceAddr: &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 1}, DestinationAddr: &net.TCPAddr{IP: net.IPv4(192, 0, 2, 2), Port: 2}}
		if transport == proxyproto.UDPv4 {
			h.SourceAddr, h.DestinationAddr = &net.UDPAddr{IP: net.IPv4(192, 0, 2, 1)}, &net.UDPAddr{IP: net.IPv4(192, 0, 2, 2)}
		}
		raw, err := h.Format()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(append(raw, "RCL1"...))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r := bytes.NewReader(b)
		peer, err := readProxyHeader(r)
		if err != nil {
			return
		}
		taken := len(b) - r.Len()
		if taken > proxyFixedSize+proxyMostFollow {
			t.Errorf("readProxyHeader took %d bytes", taken)
		}
		if !peer.IsValid() {
			t.Errorf("readProxyHeader(%x) gives no address and no error", b)
		}
	})
}

// chunks keeps what is written to it, write by write.
type chunks struct {
	net.Conn
	got [][]byte
}

func (c *chunks) Write(p []byte) (int, error) {
	c.got = append(c.got, bytes.Clone(p))
	return len(p), nil
}

func TestFramesAreWrittenWithTheirHeaders(t *testing.T) {
	data := append([]byte{0, 0, 0, 0, 0, 0, 0, 1}, 0, 0, 0, 12)
	update := []byte{0, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 9}
	finOnly := []byte{0, 0, 0, 4, 0, 0, 0, 1, 0, 0, 0, 0}
	body := bytes.Repeat([]byte{0}, 12) // looks like a header itself
	out := &chunks{}
	j := &frameJoiner{Conn: out}
	for _, p := range [][]byte{update, data, body, finOnly, data, body} {
		if n, err := j.Write(p); n != len(p) || err != nil {
			t.Fatalf("Write = %d, %v, want %d", n, err, len(p))
		}
	}
	want := [][]byte{update, append(bytes.Clone(data), body...), finOnly, append(bytes.Clone(data), body...)}
	if len(out.got) != len(want) {
		t.Fatalf("%d writes, want %d", len(out.got), len(want))
	}
	for i := range want {
		if !bytes.Equal(out.got[i], want[i]) {
			t.Errorf("write %d = %x, want %x", i, out.got[i], want[i])
		}
	}
}
