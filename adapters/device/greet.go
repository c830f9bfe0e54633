package device

import (
	"context"
	"errors"
	"io"
	"time"

	"rollcall/adapters/device/linkpb"
	"rollcall/domain"
	"rollcall/domain/broker"
)

// greet takes a link from its preamble to its opening, within the handshake
// timeout, and gives what is to be done next.
func (s *Server) greet(l *link) (serve func(context.Context), err error) {
	select {
	case s.shaking <- struct{}{}:
		defer func() { <-s.shaking }()
	default:
		return nil, errCrowded
	}
	if err := l.conn.SetDeadline(time.Now().Add(s.config.HandshakeTimeout)); err != nil {
		return nil, err
	}
	key, opening, err := s.handshake(l)
	if err != nil {
		return nil, err
	}
	if err := checkOpening(opening); err != nil {
		return nil, err
	}
	if err := l.conn.SetDeadline(time.Time{}); err != nil {
		return nil, err
	}
	return s.open(l, key, opening)
}

func (s *Server) handshake(l *link) (key []byte, opening *linkpb.ToServer, err error) {
	preamble, err := ReadPreamble(l)
	if errors.As(err, new(*VersionError)) {
		answerVersion(l)
	}
	if err != nil {
		return nil, nil, err
	}
	return answer(&l.channel, s.config.Key.pair, preamble)
}

// answerVersion tells a device of another version which one to speak: in clear, as
// nothing is agreed yet. What the device sent with its preamble is read first, or
// TCP would throw the answer away. The connection ends whether that works or not.
func answerVersion(l *link) {
	var hello [helloSize]byte
	if _, err := io.ReadFull(l, hello[:]); err == nil {
		_, _ = l.conn.Write(Preamble{Version: Version}.Append(nil))
	}
}

// open gives what serves a link with that opening, for the device with that key.
func (s *Server) open(l *link, key []byte, opening *linkpb.ToServer) (func(context.Context), error) {
	if enrol := opening.GetEnrol(); enrol != nil {
		s.counters.enrolments.Add(1)
		return func(ctx context.Context) { l.enrol(ctx, key, enrol) }, nil
	}
	device, err := s.config.Devices.Identify(key)
	if err != nil {
		return nil, err
	}
	l.device = device
	if resume := opening.GetResume(); resume != nil {
		s.counters.resumes.Add(1)
		return func(ctx context.Context) { l.resume(ctx, resume) }, nil
	}
	s.counters.logins.Add(1)
	return func(ctx context.Context) { l.login(ctx, opening.GetLogin()) }, nil
}

func (l *link) login(ctx context.Context, m *linkpb.Login) {
	login := broker.Login{
		Device: l.device, Service: domain.ServiceName(m.GetService()), Account: m.GetAccount(),
		Password: m.GetPassword(), Address: l.peer,
	}
	l.converse(ctx, broker.Rejected{Code: domain.RejectInterrupted, RetryAfter: tryLater, Text: "the server is stopping"},
		func(ctx context.Context) (broker.Session, error) { return l.server.config.Devices.Login(ctx, login, l) })
}

func (l *link) resume(ctx context.Context, m *linkpb.Resume) {
	resume := broker.Resume{
		Device: l.device, Session: domain.SessionID(m.GetSession()), Secret: m.GetSecret(),
		Received: m.GetReceived(), Epoch: m.GetEpoch(), State: m.GetState(), Address: l.peer,
	}
	l.converse(ctx, broker.ResumeRefused{Session: resume.Session, RetryAfter: tryLater, Text: "the server is stopping"},
		func(ctx context.Context) (broker.Session, error) {
			return l.server.config.Devices.Resume(ctx, resume, l)
		})
}

// tryLater is when a device shall come back that a stopping broker did not
// answer.
const tryLater = 5 * time.Second
