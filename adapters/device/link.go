package device

import (
	"context"
	"errors"
	"io"
	"net"
	"sync/atomic"
	"time"

	"rollcall/adapters/device/linkpb"
	"rollcall/domain"
	"rollcall/domain/broker"
)

// link is one device's connection, as the broker sees it.
type link struct {
	channel
	server *Server
	peer   string
	device domain.DeviceID
	// finishing is set once the last message is out: the link then only waits
	// for the device to close it, so that the message is not lost.
	finishing atomic.Bool
}

var _ broker.Link = (*link)(nil)

func newLink(s *Server, conn net.Conn, peer string) *link {
	return &link{channel: channel{conn: conn, patience: s.config.WriteTimeout}, server: s, peer: peer}
}

// Send writes m to the device. What does not fit into a record is sent otherwise,
// see [link.sendLong].
func (l *link) Send(m broker.ToDevice) error {
	how := mannerOf(m)
	if back, ok := m.(broker.ComeBack); ok {
		l.server.comeBack.Store(int64(back.After))
	}
	if how.last {
		l.hurry(l.server.config.Linger)
	}
	err := l.channel.send(toDevice(m), how.pad)
	if errors.Is(err, ErrTooLong) {
		return l.sendLong(m)
	}
	if err == nil && how.last {
		l.finish()
	}
	return err
}

// Close closes the connection; after the last message only for sending, so that
// the device still gets that.
func (l *link) Close() {
	if !l.finishing.Load() {
		l.abort()
	}
}

func (l *link) abort() { _ = l.conn.Close() }

// reset breaks a link that was given up for want of time. A device that has said
// all it had to say takes a link that ends in good order for a refusal, see
// [ErrNoAnswer]; one that breaks it opens again.
func (l *link) reset() {
	if tcp, ok := l.conn.(interface{ SetLinger(seconds int) error }); ok {
		_ = tcp.SetLinger(0) // one that is closed already needs none
	}
	l.abort()
}

// finish tells the device that nothing follows, and gives it some time to close
// the connection.
func (l *link) finish() {
	if !l.finishing.CompareAndSwap(false, true) {
		return
	}
	if half, ok := l.conn.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	}
	time.AfterFunc(l.server.config.Linger, l.abort)
}

// drain reads until the device closes a finishing link, or its time is up. Were
// the connection closed with something unread, TCP would throw the last message
// away.
func (l *link) drain() {
	var b [firstRead]byte
	for {
		if _, err := l.conn.Read(b[:]); err != nil {
			return
		}
	}
}

// converse logs in or resumes by open, and hands the broker what the device
// sends until the link or the session is over. Where the broker is stopping and
// has not answered, refusal does.
func (l *link) converse(ctx context.Context, refusal broker.ToDevice, open func(context.Context) (broker.Session, error)) {
	session, m, err := l.begin(ctx, refusal, open)
	if session == nil {
		l.drainIfFinishing()
		return
	}
	defer session.Detach()
	for err == nil {
		if err = session.Receive(ctx, m); err == nil {
			m, err = l.next()
		}
	}
	l.over(err)
}

// begin gives the session and the device's first message. It reads while open is
// under way, so that a device that gives up is noticed. The context of open ends
// with it: an idle link holds none.
func (l *link) begin(ctx context.Context, refusal broker.ToDevice, open func(context.Context) (broker.Session, error)) (broker.Session, broker.FromDevice, error) {
	ctx, cancel := context.WithCancel(ctx)
	attempt := make(chan broker.Session, 1)
	go func() {
		defer cancel()
		attempt <- l.attempt(ctx, refusal, open)
	}()
	m, err := l.next()
	if err != nil {
		cancel()
	}
	return <-attempt, m, err
}

func (l *link) attempt(ctx context.Context, refusal broker.ToDevice, open func(context.Context) (broker.Session, error)) broker.Session {
	session, err := open(ctx)
	switch {
	case err != nil && ctx.Err() == nil:
		_ = l.Send(refusal) // a device that is gone needs no answer
	case session == nil:
		l.finish()
	}
	if err != nil {
		return nil
	}
	return session
}

// next waits for the device's next message.
func (l *link) next() (broker.FromDevice, error) {
	var m linkpb.ToServer
	if err := l.receive(&m); err != nil {
		return nil, err
	}
	return fromDevice(&m)
}

// over counts how a link ended, and waits until the device has its last message.
func (l *link) over(err error) {
	if errors.Is(err, ErrRecord) || errors.Is(err, ErrFrame) || errors.Is(err, ErrMessage) {
		l.server.counters.misbehaved.Add(1)
		l.server.config.Logger.Warn("device link closed", "device", l.device, "peer", l.peer, "err", err)
	} else if !errors.Is(err, io.EOF) {
		l.server.config.Logger.Debug("device link ended", "device", l.device, "peer", l.peer, "err", err)
	}
	if errors.Is(err, broker.ErrSessionOver) {
		// The notice of it may be under way still.
		time.AfterFunc(l.server.config.Linger, l.abort)
		l.drain()
	}
	l.drainIfFinishing()
}

func (l *link) drainIfFinishing() {
	if l.finishing.Load() {
		l.drain()
	}
}
