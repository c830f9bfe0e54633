package device

import (
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// TestHandshakeThatIsCutOff: a server that is too busy, and a dispatcher that
// has nobody behind it, close the link as one with another key does, and the message
// must not send people after the key alone.
func TestHandshakeThatIsCutOff(t *testing.T) {
	b := newBench(t, Config{})
	for name, c := range map[string]struct {
		server func(net.Conn)
		want   string
	}{
		"closed": {func(conn net.Conn) { conn.Close() }, "has too many connections now, or cannot reach its collaboration service, or has another key"},
		"silent": {func(net.Conn) {}, "did not answer"},
	} {
		ours, theirs := net.Pipe()
		ours.SetDeadline(time.Now().Add(100 * time.Millisecond))
		go func() {
			io.ReadFull(theirs, make([]byte, preambleSize+helloSize))
			c.server(theirs)
		}()
		_, err := initiate(ours, b.device.pair, b.key.Public(), Preamble{Version: Version}, openLogin("a", "b", "c"))
		if !errors.Is(err, ErrHandshake) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: initiate = %v, want an ErrHandshake that says %q", name, err, c.want)
		}
		theirs.Close()
	}
}
