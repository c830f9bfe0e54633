package device_test

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"rollcall/domain"
	"rollcall/domain/broker"
)

// fakeBroker is a broker that lets everybody in who knows the password
// "correct". It keeps the promises of the ports and no others.
type fakeBroker struct {
	// login, if set, answers logins in its place.
	login func(context.Context, broker.Login, broker.Link) (broker.Session, error)
	// received, if set, sees what devices send.
	received func(broker.FromDevice)
	interval time.Duration
	late     time.Duration // how long answers take
	before   uint64        // the number in front of a session's first item

	detached atomic.Int64

	mu       sync.Mutex
	devices  map[string]domain.DeviceID // by key
	revoked  map[domain.DeviceID]bool
	offers   map[string]error // by secret: why it cannot be redeemed; nil if it can
	sessions map[domain.SessionID]*fakeSession
	ended    map[domain.SessionID]domain.EndCause
	logins   []broker.Login
	labels   []string
	stopping bool
	silent   bool          // messages get no answer
	busy     time.Duration // if not zero, sessions cannot go on for that long
	position uint64
}

func newFakeBroker() *fakeBroker {
	return &fakeBroker{
		interval: time.Minute, devices: map[string]domain.DeviceID{}, revoked: map[domain.DeviceID]bool{},
		offers: map[string]error{"offer": nil}, sessions: map[domain.SessionID]*fakeSession{},
		ended: map[domain.SessionID]domain.EndCause{}, position: 100,
	}
}

func (b *fakeBroker) Identify(key []byte) (domain.DeviceID, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	id, ok := b.devices[string(key)]
	switch {
	case !ok:
		return 0, broker.ErrUnknownKey
	case b.revoked[id]:
		return 0, domain.ErrDeviceRevoked
	}
	return id, nil
}

func (b *fakeBroker) Enrol(_ context.Context, e broker.Enrolment) (domain.DeviceID, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	err, ok := b.offers[string(e.Secret)]
	switch {
	case b.stopping:
		return 0, broker.ErrStopped
	case !ok:
		return 0, broker.ErrUnknownSecret
	case err != nil:
		return 0, err
	}
	b.position++
	b.offers[string(e.Secret)] = domain.ErrOfferSpent
	b.labels = append(b.labels, e.Label)
	b.devices[string(e.Key)] = domain.DeviceID(b.position)
	return domain.DeviceID(b.position), nil
}

func (b *fakeBroker) Login(ctx context.Context, login broker.Login, link broker.Link) (broker.Session, error) {
	b.mu.Lock()
	b.logins = append(b.logins, login)
	b.position++
	id, stopping := domain.SessionID(b.position), b.stopping
	b.mu.Unlock()
	switch {
	case b.login != nil:
		return b.login(ctx, login, link)
	case stopping:
		return nil, broker.ErrStopped
	case login.Password != "correct":
		return nil, link.Send(broker.Rejected{Session: id, Code: domain.RejectBadCredentials, RetryAfter: 3 * time.Second, Text: "no"})
	}
	s := &fakeSession{broker: b, id: id, secret: "secret-secret-secret-secret-secr", link: link, fence: 1, answers: map[string]string{}, number: b.before, epoch: 7}
	b.mu.Lock()
	b.sessions[id] = s
	b.mu.Unlock()
	return fakeLink{s, 1}, link.Send(broker.Accepted{Session: id, Resume: []byte(s.secret), StatusInterval: b.interval, Fence: 1, Received: b.before, Epoch: 7})
}

func (b *fakeBroker) Resume(_ context.Context, r broker.Resume, link broker.Link) (broker.Session, error) {
	b.mu.Lock()
	s, stopping, busy := b.sessions[r.Session], b.stopping, b.busy
	b.mu.Unlock()
	switch {
	case busy > 0:
		return nil, link.Send(broker.ResumeRefused{Session: r.Session, RetryAfter: busy})
	case stopping:
		return nil, broker.ErrStopped
	case s == nil || s.secret != string(r.Secret):
		return nil, link.Send(broker.ResumeRefused{Session: r.Session, Ended: true, Cause: b.cause(r.Session)})
	}
	return s.resume(r, link)
}

// open ends all trouble.
func (b *fakeBroker) open() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.busy, b.stopping = 0, false
}

// hush has messages get no answer, and go nowhere.
func (b *fakeBroker) hush(silent bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.silent = silent
}

func (b *fakeBroker) isSilent() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.silent
}

func (b *fakeBroker) session(id domain.SessionID) *fakeSession {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.sessions[id]
}

func (b *fakeBroker) cause(id domain.SessionID) domain.EndCause {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.ended[id]
}

// fakeSession is a session of the fake broker.
type fakeSession struct {
	broker *fakeBroker
	id     domain.SessionID
	secret string

	mu       sync.Mutex
	link     broker.Link // nil while the device is out of coverage
	fence    uint32
	number   uint64
	unacked  []broker.Item
	answers  map[string]string // by id of a message: what it said
	upstream []string          // what reached upstream, in order
	presence []broker.OwnPresence
	statuses int
	inUse    int // of the statuses
	epoch    uint64
	states   []broker.State
	heard    []uint64 // up to which state those who resumed had heard
}

func (s *fakeSession) resume(r broker.Resume, link broker.Link) (broker.Session, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.link != nil {
		s.link.Close()
	}
	s.fence++
	s.link = link
	s.ack(r.Received)
	if err := link.Send(broker.Resumed{Session: s.id, Fence: s.fence, StatusInterval: s.broker.interval, Epoch: s.epoch}); err != nil {
		return fakeLink{s, s.fence}, nil
	}
	s.catchUp(r, link)
	for _, item := range s.unacked {
		if link.Send(item) != nil {
			break
		}
	}
	return fakeLink{s, s.fence}, nil
}

// deliver gives the device something to see.
func (s *fakeSession) deliver(body any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.number++
	item := broker.Item{Number: s.number, Body: body}
	s.unacked = append(s.unacked, item)
	s.send(item)
}

// catchUp tells a device what has changed, or all there is in another epoch.
func (s *fakeSession) catchUp(r broker.Resume, link broker.Link) {
	from := r.State
	if r.Epoch != s.epoch {
		from = 0
	}
	s.heard = append(s.heard, from)
	for _, state := range s.states {
		if state.Number > from && link.Send(state) != nil {
			return
		}
	}
}

// tell gives the device news.
func (s *fakeSession) tell(body any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	state := broker.State{Number: uint64(len(s.states)) + 1, Body: body}
	s.states = append(s.states, state)
	s.send(state)
}

func (s *fakeSession) send(m broker.ToDevice) {
	if s.link != nil && s.link.Send(m) != nil {
		s.link.Close()
		s.link = nil
	}
}

// pace asks the device to report at another interval.
func (s *fakeSession) pace(interval time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.send(broker.Pace{StatusInterval: interval})
}

// reports gives how many statuses came.
func (s *fakeSession) reports() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.statuses
}

// end ends the session with a notice.
func (s *fakeSession) end(n broker.Notice) {
	s.broker.mu.Lock()
	delete(s.broker.sessions, s.id)
	s.broker.ended[s.id] = n.Cause
	s.broker.mu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.send(n)
	if s.link != nil {
		s.link.Close()
	}
}

func (s *fakeSession) ack(number uint64) {
	for len(s.unacked) > 0 && s.unacked[0].Number <= number {
		s.unacked = s.unacked[1:]
	}
}

// fakeLink is the session as one of its links speaks to it.
type fakeLink struct {
	*fakeSession
	mine uint32
}

func (l fakeLink) Receive(_ context.Context, m broker.FromDevice) error {
	s := l.fakeSession
	if s.broker.received != nil {
		s.broker.received(m)
	}
	s.mu.Lock()
	if l.mine != s.fence {
		s.mu.Unlock()
		return broker.ErrLinkReplaced
	}
	switch m := m.(type) {
	case broker.Status:
		s.statuses++
		if m.InUse {
			s.inUse++
		}
	case broker.Ack:
		s.ack(m.Number)
	case broker.SetPresence:
		s.presence = append(s.presence, m.Presence)
	case broker.Send:
		s.take(m)
	case broker.Logout:
		s.mu.Unlock()
		s.end(broker.Notice{Session: s.id, Cause: domain.EndLogout})
		return broker.ErrSessionOver
	}
	s.mu.Unlock()
	return nil
}

func (s *fakeSession) take(m broker.Send) {
	if s.broker.isSilent() {
		return
	}
	answer, again := s.answers[m.ID]
	if !again {
		if m.To == "nobody" {
			answer = "no such recipient"
		} else {
			s.upstream = append(s.upstream, m.Body)
		}
		s.answers[m.ID] = answer
	}
	sent := broker.Sent{ID: m.ID, Error: answer}
	if s.broker.late == 0 {
		s.send(sent)
		return
	}
	time.AfterFunc(s.broker.late, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.send(sent)
	})
}

func (l fakeLink) Detach() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.broker.detached.Add(1)
	if l.mine == l.fence {
		l.link = nil
	}
}
