package dispatcher

import (
	"errors"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/hashicorp/yamux"
)

// soon is real time: yamux keeps timers in a pool of the whole process, which a
// synctest bubble cannot use.
const soon = 10 * time.Millisecond

// streams gives both ends of one stream over a pipe.
func streams(t *testing.T) (a, b *stream) {
	t.Helper()
	near, far := net.Pipe()
	log := slog.New(slog.DiscardHandler)
	client, err := yamux.Client(&frameJoiner{Conn: near}, muxConfig(log))
	if err != nil {
		t.Fatal(err)
	}
	server, err := yamux.Server(&frameJoiner{Conn: far}, muxConfig(log))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close(); server.Close() })
	opened, err := client.OpenStream()
	if err != nil {
		t.Fatal(err)
	}
	accepted, err := server.AcceptStream()
	if err != nil {
		t.Fatal(err)
	}
	return newStream(opened, netip.AddrPort{}), newStream(accepted, netip.MustParseAddrPort("192.0.2.1:7"))
}

func TestStreamBehavesAsAConnection(t *testing.T) {
	one := make([]byte, 1)
	cases := []struct {
		name string
		do   func(a, b *stream) error
		want error
	}{
		{"Close ends a Read under way", func(a, _ *stream) error {
			time.AfterFunc(soon, func() { a.Close() })
			_, err := a.Read(one)
			return err
		}, net.ErrClosed},
		{"a closed stream stays closed when its deadline moves", func(a, _ *stream) error {
			a.Close()
			a.SetDeadline(time.Now().Add(time.Hour))
			_, err := a.Read(one)
			return err
		}, net.ErrClosed},
		{"Write on a closed stream", func(a, _ *stream) error {
			a.Close()
			_, err := a.Write(one)
			return err
		}, net.ErrClosed},
		{"Close is seen as the end by the other side", func(a, b *stream) error {
			a.Close()
			_, err := b.Read(one)
			return err
		}, io.EOF},
		{"CloseWrite leaves reading open", func(a, b *stream) error {
			a.CloseWrite()
			if _, err := b.Read(one); err != io.EOF {
				return err
			}
			b.Write(one)
			_, err := a.Read(one)
			return err
		}, nil},
		{"a read deadline", func(a, _ *stream) error {
			a.SetReadDeadline(time.Now().Add(soon))
			_, err := a.Read(one)
			return err
		}, os.ErrDeadlineExceeded},
		{"a write deadline, with the window full", func(a, _ *stream) error {
			a.SetWriteDeadline(time.Now().Add(soon))
			_, err := a.Write(make([]byte, 1<<20))
			return err
		}, os.ErrDeadlineExceeded},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			a, b := streams(t)
			if err := c.do(a, b); !errors.Is(err, c.want) {
				t.Errorf("error = %v, want %v", err, c.want)
			}
			a.Close()
			b.Close()
		})
	}
}
