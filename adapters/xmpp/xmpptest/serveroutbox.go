package xmpptest

import (
	"sync"
	"time"
)

// maxOutbox is how many bytes may wait for a client that does not read; with
// more it loses its connection, as with any server.
const maxOutbox = 8 << 20

// outbox writes to one stream without making anybody wait. It costs a goroutine
// only while there is something to write.
type outbox struct {
	server *Server
	stream *stream

	mu      sync.Mutex
	waiting []byte
	writing chan struct{} // closed when all is written; nil while nothing is
}

func newOutbox(s *Server, st *stream) *outbox { return &outbox{server: s, stream: st} }

// add sends text. The server's lock is held.
func (o *outbox) add(text string) {
	if o.server.closed {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.waiting)+len(text) > maxOutbox {
		o.stream.conn.Close()
		return
	}
	o.waiting = append(o.waiting, text...)
	if o.writing == nil {
		o.writing = make(chan struct{})
		o.server.running.Go(o.write)
	}
}

func (o *outbox) write() {
	for {
		o.mu.Lock()
		text := o.waiting
		o.waiting = nil
		if len(text) == 0 {
			close(o.writing)
			o.writing = nil
			o.mu.Unlock()
			return
		}
		o.mu.Unlock()
		if _, err := o.stream.conn.Write(text); err != nil {
			o.stream.conn.Close() // the reader sees to the rest
		}
	}
}

// parting is how long the end of a stream waits for what was said before it.
const parting = 2 * time.Second

// await waits until all is written.
func (o *outbox) await() {
	o.mu.Lock()
	writing := o.writing
	o.mu.Unlock()
	if writing == nil {
		return
	}
	_ = o.stream.conn.SetWriteDeadline(time.Now().Add(parting)) // a write that fails ends it as well
	<-writing
}
