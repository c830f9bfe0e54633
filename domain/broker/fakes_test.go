package broker_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"iter"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"rollcall/domain"
	"rollcall/domain/broker"
)

// memory is a broker.Log in memory. With hold, appends wait for release; with
// fail, they fail.
type memory struct {
	mu      sync.Mutex
	records []domain.Record
	sides   map[domain.SideKey][]byte
	appends int
	hold    chan struct{}
	fail    error
}

func newMemory() *memory { return &memory{sides: make(map[domain.SideKey][]byte)} }

func (m *memory) ID() domain.LogID { return domain.LogID(uuid.Max) }

func (m *memory) Append(_ context.Context, after domain.Position, b domain.Batch) (domain.Position, error) {
	m.mu.Lock()
	hold := m.hold
	m.mu.Unlock()
	if hold != nil {
		<-hold
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		return 0, m.fail
	}
	if int(after) != len(m.records) {
		return 0, errors.New("conflict")
	}
	m.appends++
	m.records = append(m.records, b.Records...)
	for _, s := range b.Sides {
		m.sides[s.SideKey] = bytes.Clone(s.Value)
	}
	for _, k := range b.Forget {
		delete(m.sides, k)
	}
	return domain.Position(len(m.records)), nil
}

func (m *memory) Read(_ context.Context, from domain.Position) iter.Seq2[domain.Record, error] {
	m.mu.Lock()
	records := slices.Clone(m.records)
	m.mu.Unlock()
	return func(yield func(domain.Record, error) bool) {
		for _, r := range records[max(from, 1)-1:] {
			if !yield(r, nil) {
				return
			}
		}
	}
}

func (m *memory) Blocks(ctx context.Context, from domain.Position) iter.Seq2[[]domain.Record, error] {
	return func(yield func([]domain.Record, error) bool) {
		var records []domain.Record
		for r := range m.Read(ctx, from) {
			records = append(records, r)
		}
		for some := range slices.Chunk(records, 7) {
			if !yield(some, nil) {
				return
			}
		}
	}
}

func (m *memory) SidesOf(ctx context.Context, keys []domain.SideKey) iter.Seq2[domain.Side, error] {
	return func(yield func(domain.Side, error) bool) {
		for _, k := range keys {
			if value, ok, _ := m.Side(ctx, k); ok && !yield(domain.Side{SideKey: k, Value: value}, nil) {
				return
			}
		}
	}
}

func (m *memory) Sides(context.Context) iter.Seq2[domain.Side, error] {
	m.mu.Lock()
	defer m.mu.Unlock()
	var sides []domain.Side
	for k, v := range m.sides {
		sides = append(sides, domain.Side{SideKey: k, Value: v})
	}
	slices.SortFunc(sides, func(a, b domain.Side) int {
		return cmp.Or(cmp.Compare(a.Position, b.Position), cmp.Compare(a.Kind, b.Kind))
	})
	return func(yield func(domain.Side, error) bool) {
		for _, s := range sides {
			if !yield(s, nil) {
				return
			}
		}
	}
}

func (m *memory) Side(_ context.Context, k domain.SideKey) ([]byte, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	v, ok := m.sides[k]
	return v, ok, nil
}

func (m *memory) commits() int            { m.mu.Lock(); defer m.mu.Unlock(); return m.appends }
func (m *memory) setHold(h chan struct{}) { m.mu.Lock(); defer m.mu.Unlock(); m.hold = h }

// types gives the printed names of the events from position from on.
func (m *memory) types(from domain.Position) []string {
	var names []string
	for r := range m.Read(context.Background(), from) {
		names = append(names, r.Event.Type().String())
	}
	return names
}

func (m *memory) last() domain.Position {
	m.mu.Lock()
	defer m.mu.Unlock()
	return domain.Position(len(m.records))
}

// upstream is a connector whose every login succeeds, unless err says
// otherwise; with hold, logins wait for it or for their context.
type upstream struct {
	mu     sync.Mutex
	err    error
	hold   chan struct{}
	deaf   bool // logins do not look at their context
	logins []broker.UpstreamLogin
	talks  []*talk
	busy   int // logins under way
	most   int // most logins under way at once
}

func (u *upstream) Kind() domain.Kind              { return domain.KindLocal }
func (u *upstream) Total() domain.Optional[uint32] { return domain.Some(uint32(1000)) }
func (u *upstream) Check(s domain.Settings) error  { return nil }
func (u *upstream) last() *talk                    { u.mu.Lock(); defer u.mu.Unlock(); return u.talks[len(u.talks)-1] }
func (u *upstream) set(err error, h chan struct{}) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.err, u.hold = err, h
}

func (u *upstream) Login(ctx context.Context, l broker.UpstreamLogin, sink broker.Sink) (broker.Conversation, error) {
	hold, err := u.enter(l)
	defer u.leave()
	if u.deaf && hold != nil {
		<-hold
	} else if hold != nil {
		select {
		case <-hold:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	if err != nil {
		return nil, err
	}
	t := &talk{sink: sink}
	t.deliver(broker.RosterReceived{})
	u.mu.Lock()
	defer u.mu.Unlock()
	u.talks = append(u.talks, t)
	return t, nil
}

func (u *upstream) enter(l broker.UpstreamLogin) (chan struct{}, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.logins = append(u.logins, l)
	u.busy++
	u.most = max(u.most, u.busy)
	return u.hold, u.err
}

func (u *upstream) leave() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.busy--
}

// talk is a conversation that notes what it is told.
type talk struct {
	sink broker.Sink
	seq  uint64

	mu        sync.Mutex
	sent      []broker.OutgoingMessage
	presence  []broker.OwnPresence
	safe      uint64
	loggedOut bool
	refuse    error
	hold      chan struct{} // sends wait for it, or for their context
	atLogout  func()
}

func (t *talk) deliver(e broker.UpstreamEvent) {
	t.seq++
	t.sink.Deliver(t.seq, e)
}

func (t *talk) Send(ctx context.Context, m broker.OutgoingMessage) error {
	if t.hold != nil {
		select {
		case <-t.hold:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.refuse != nil {
		return t.refuse
	}
	t.sent = append(t.sent, m)
	return nil
}

func (t *talk) SetPresence(_ context.Context, p broker.OwnPresence) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.presence = append(t.presence, p)
	return nil
}

func (t *talk) Acknowledge(seq uint64) { t.mu.Lock(); defer t.mu.Unlock(); t.safe = max(t.safe, seq) }

func (t *talk) setRefuse(err error) { t.mu.Lock(); defer t.mu.Unlock(); t.refuse = err }

func (t *talk) allSent() []broker.OutgoingMessage {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.sent)
}

func (t *talk) Logout(context.Context) error {
	if t.atLogout != nil {
		t.atLogout()
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.loggedOut = true
	return nil
}

func (t *talk) isOut() bool { t.mu.Lock(); defer t.mu.Unlock(); return t.loggedOut }

// line is a link that notes what it is sent; broken, it fails.
type line struct {
	mu     sync.Mutex
	got    []broker.ToDevice
	closed bool
	broken bool
}

func (l *line) Send(m broker.ToDevice) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.broken || l.closed {
		return errors.New("broken link")
	}
	l.got = append(l.got, m)
	return nil
}

func (l *line) Close() { l.mu.Lock(); defer l.mu.Unlock(); l.closed = true }

func (l *line) all() []broker.ToDevice {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.got)
}

func (l *line) isClosed() bool { l.mu.Lock(); defer l.mu.Unlock(); return l.closed }

// first gives the first message of its type, or fails the test.
func first[T broker.ToDevice](t *testing.T, l *line) T {
	t.Helper()
	for _, m := range l.all() {
		if m, ok := m.(T); ok {
			return m
		}
	}
	var zero T
	t.Fatalf("the device got %v, want a %T among it", l.all(), zero)
	return zero
}

// house is a broker with one service "im", and devices that may use it.
type house struct {
	*testing.T
	*broker.Broker
	log  *memory
	up   *upstream
	keys byte
}

const password = "correct horse"

func open(t *testing.T, log *memory, up *upstream) *house {
	t.Helper()
	b, err := broker.Open(t.Context(), broker.Config{Log: log, Connectors: []broker.Connector{up}, Connecting: 4})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Stop(context.Background()) })
	return &house{T: t, Broker: b, log: log, up: up}
}

func newHouse(t *testing.T, change ...func(*domain.Settings)) *house {
	t.Helper()
	h := open(t, newMemory(), &upstream{})
	h.configure(change...)
	return h
}

func (h *house) configure(change ...func(*domain.Settings)) {
	h.Helper()
	s := domain.Settings{Kind: domain.KindLocal}
	for _, c := range change {
		c(&s)
	}
	if _, err := h.ConfigureService(h.Context(), "im", s); err != nil {
		h.Fatal(err)
	}
}

func maximum(n uint32) func(*domain.Settings) {
	return func(s *domain.Settings) { s.MaxSessions = domain.Some(n) }
}

func idle(d time.Duration) func(*domain.Settings) {
	return func(s *domain.Settings) { s.IdleTimeout = domain.Some(d) }
}

func inactivity(d time.Duration) func(*domain.Settings) {
	return func(s *domain.Settings) { s.InactivityTimeout = domain.Some(d) }
}

// device enrols a device for a person of that name, who may use the account of
// that name.
func (h *house) device(name string) domain.DeviceID {
	h.Helper()
	offer, err := h.OfferEnrolment(h.Context(), broker.Offer{
		Person:   name,
		Accounts: []broker.AccountRef{{Service: "im", Account: name}},
		ValidFor: time.Minute,
	})
	if err != nil {
		h.Fatal(err)
	}
	h.keys++
	id, err := h.Enrol(h.Context(), broker.Enrolment{Secret: offer.Secret, Key: bytes.Repeat([]byte{h.keys}, 32), Label: name + "'s phone"})
	if err != nil {
		h.Fatal(err)
	}
	return id
}

// login logs a device in and gives its link; session is nil if it was refused.
func (h *house) login(id domain.DeviceID, account string) (broker.Session, *line) {
	h.Helper()
	link := &line{}
	s, err := h.Login(h.Context(), broker.Login{Device: id, Service: "im", Account: account, Password: password, Address: "192.0.2.1:9"}, link)
	if err != nil {
		h.Fatalf("Login: %v", err)
	}
	return s, link
}

func (h *house) resume(id domain.DeviceID, a broker.Accepted, received uint64) (broker.Session, *line) {
	h.Helper()
	link := &line{}
	s, err := h.Resume(h.Context(), broker.Resume{Device: id, Session: a.Session, Secret: a.Resume, Received: received}, link)
	if err != nil {
		h.Fatalf("Resume: %v", err)
	}
	synctest.Wait() // what is sent goes its own way
	return s, link
}
