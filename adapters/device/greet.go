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
	if err := l.conn.SetDeadline(time.Now().Add(s.config.HandshakeTimeout)); err != nil {
		return nil, err
	}
	preamble, err := hear(l)
	if err != nil {
		return nil, err
	}
	key, opening, err := s.handshake(l, preamble)
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

// hear waits until a device has sent its preamble and its first handshake message,
// and reads the former. So far it costs a connection and nothing else.
func hear(l *link) (Preamble, error) {
	preamble, err := ReadPreamble(l)
	if errors.As(err, new(*VersionError)) {
		answerVersion(l)
	}
	if err != nil {
		return Preamble{}, err
	}
	return preamble, l.await(helloSize)
}

// handshake does what costs something, for as many links at a time as may.
func (s *Server) handshake(l *link, preamble Preamble) (key []byte, opening *linkpb.ToServer, err error) {
	place, later := s.lobby.enter(l)
	if place == nil {
		l.sendAway(later)
		return nil, nil, errCrowded
	}
	defer s.lobby.leave(place)
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
	l.converse(ctx, broker.Rejected{Code: domain.RejectInterrupted, RetryAfter: l.server.tryLater(), Text: "the server is stopping"},
		func(ctx context.Context) (broker.Session, error) { return l.server.config.Devices.Login(ctx, login, l) })
}

func (l *link) resume(ctx context.Context, m *linkpb.Resume) {
	resume := broker.Resume{
		Device: l.device, Session: domain.SessionID(m.GetSession()), Secret: m.GetSecret(),
		Received: m.GetReceived(), Epoch: m.GetEpoch(), State: m.GetState(), Address: l.peer,
	}
	l.converse(ctx, broker.ResumeRefused{Session: resume.Session, RetryAfter: l.server.tryLater(), Text: "the server is stopping"},
		func(ctx context.Context) (broker.Session, error) {
			return l.server.config.Devices.Resume(ctx, resume, l)
		})
}

// tryLater gives when a device shall come back that a stopping broker did not
// answer: what the broker has told the devices that have a session, else a moment.
func (s *Server) tryLater() time.Duration {
	return max(time.Duration(s.comeBack.Load()), aMoment)
}

// aMoment is how long a restart takes at least. Who comes too early waits longer
// the next time.
const aMoment = time.Second
