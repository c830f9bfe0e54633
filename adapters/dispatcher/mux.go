package dispatcher

import (
	"fmt"
	"log/slog"
	"net"
	"strings"
	"time"

	"github.com/hashicorp/yamux"
)

// What both ends of a link have in common.
const (
	handshakeTimeout  = 10 * time.Second
	keepAliveInterval = 15 * time.Second
	// linkTimeout is how long the other end may take nothing, or not answer a
	// ping, before the link is given up.
	linkTimeout = 10 * time.Second
	// lingerTimeout is how long one direction of a device connection may go on
	// after the other has ended.
	lingerTimeout = 30 * time.Second
	// streamCloseTimeout is how long a stream waits for the other end to close
	// it too. It is longer than lingerTimeout, so that it never cuts that short.
	streamCloseTimeout = 40 * time.Second
	// acceptBacklog is how many streams may wait to be accepted; a dispatcher
	// that opens more waits.
	acceptBacklog = 1024
)

// muxConfig gives the settings of yamux. Its window of 256 KiB a stream is the
// smallest that its protocol has.
func muxConfig(log *slog.Logger) *yamux.Config {
	c := yamux.DefaultConfig()
	c.AcceptBacklog = acceptBacklog
	c.KeepAliveInterval = keepAliveInterval
	c.ConnectionWriteTimeout = linkTimeout
	c.StreamOpenTimeout = linkTimeout
	c.StreamCloseTimeout = streamCloseTimeout
	c.LogOutput = nil
	c.Logger = muxLogger{log}
	return c
}

// muxLogger passes on what yamux has to say. All of it is detail: what matters
// comes back as an error.
type muxLogger struct{ log *slog.Logger }

func (l muxLogger) Print(v ...any) { l.log.Debug(strings.TrimSpace(fmt.Sprint(v...))) }

func (l muxLogger) Printf(format string, v ...any) {
	l.log.Debug(strings.TrimSpace(fmt.Sprintf(format, v...)))
}

func (l muxLogger) Println(v ...any) { l.log.Debug(strings.TrimSpace(fmt.Sprintln(v...))) }

// The header of a yamux frame: version, type, flags (2), stream (4), length (4).
const (
	frameHeaderSize = 12
	frameTypeAt     = 1
	frameData       = 0
)

// frameJoiner writes the header of a data frame together with its body. yamux
// writes them one after the other, which would make two TLS records and two
// system calls of every message. It is used by one goroutine at a time, yamux's
// sender.
type frameJoiner struct {
	net.Conn
	buf []byte // begins with the header that waits for its body, if any
}

func (j *frameJoiner) Write(p []byte) (int, error) {
	if len(j.buf) == 0 && holdsBack(p) {
		j.buf = append(j.buf, p...)
		return len(p), nil
	}
	if len(j.buf) == 0 {
		return j.Conn.Write(p)
	}
	j.buf = append(j.buf, p...)
	_, err := j.Conn.Write(j.buf)
	j.buf = j.buf[:0]
	if err != nil {
		return 0, err
	}
	return len(p), nil
}

// holdsBack tells whether p is the header of a data frame with a body.
func holdsBack(p []byte) bool {
	return len(p) == frameHeaderSize && p[frameTypeAt] == frameData && [4]byte(p[8:]) != [4]byte{}
}
