package broker

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"rollcall/domain"
)

// Timing are the broker's intervals. A zero field takes its default.
type Timing struct {
	// StatusInterval is how often a device reports; 60 s. It is shortened for
	// services with short timeouts.
	StatusInterval time.Duration
	// Grace is how long a lost link is waited for before coverage counts as
	// lost; 10 s.
	Grace time.Duration
	// LoginTimeout bounds one upstream login, its wait for a turn included; 30 s.
	LoginTimeout time.Duration
	// SendTimeout bounds the sending of one message upstream; 10 s.
	SendTimeout time.Duration
	// LogoutTimeout bounds one upstream logout; 5 s.
	LogoutTimeout time.Duration
}

func (t Timing) withDefaults() Timing {
	for _, d := range []struct {
		field *time.Duration
		value time.Duration
	}{
		{&t.StatusInterval, 60 * time.Second},
		{&t.Grace, 10 * time.Second},
		{&t.LoginTimeout, 30 * time.Second},
		{&t.SendTimeout, 10 * time.Second},
		{&t.LogoutTimeout, 5 * time.Second},
	} {
		if *d.field == 0 {
			*d.field = d.value
		}
	}
	return t
}

// defaultConnecting is how many upstream logins run at once unless Config says
// otherwise.
const defaultConnecting = 64

// Config is what a broker is made of.
type Config struct {
	Log        Log
	Connectors []Connector
	Clock      Clock        // SystemClock where nil
	Logger     *slog.Logger // silent where nil
	Version    string
	Timing     Timing
	// Connecting is how many upstream logins run at once; 64 where zero.
	Connecting int
}

// Broker is the collaboration service. All its methods may be called
// concurrently.
type Broker struct {
	log        Log
	clock      Clock
	logger     *slog.Logger
	version    string
	timing     Timing
	connectors map[domain.Kind]Connector
	connecting chan struct{} // a place for each upstream login under way
	dir        *directory
	seq        *sequencer

	mu       sync.Mutex
	sessions map[domain.SessionID]*session
	open     bool // devices are let in
	unwatch  func() bool
	ending   sync.WaitGroup // sessions on their way out
	stopOnce sync.Once
	stopErr  error
}

var _ Devices = (*Broker)(nil)

// Open reads the log and gives a broker that takes operator commands. Devices
// are let in from [Broker.Start] on. Whoever opens a broker stops it.
func Open(ctx context.Context, c Config) (*Broker, error) {
	b := &Broker{
		log: c.Log, clock: c.Clock, logger: c.Logger, version: c.Version,
		timing:     c.Timing.withDefaults(),
		connectors: make(map[domain.Kind]Connector),
		dir:        newDirectory(),
		sessions:   make(map[domain.SessionID]*session),
	}
	if b.clock == nil {
		b.clock = SystemClock{}
	}
	if b.logger == nil {
		b.logger = slog.New(slog.DiscardHandler)
	}
	if c.Connecting == 0 {
		c.Connecting = defaultConnecting
	}
	b.connecting = make(chan struct{}, c.Connecting)
	for _, k := range c.Connectors {
		b.connectors[k.Kind()] = k
	}
	ledger, err := b.fold(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the event log: %w", err)
	}
	b.seq = newSequencer(c.Log, b.clock, ledger, b.dir, b.react)
	return b, nil
}

// fold makes the ledger and the directory of the whole log.
func (b *Broker) fold(ctx context.Context) (*domain.Ledger, error) {
	l := domain.NewLedger()
	for r, err := range b.log.Read(ctx, 1) {
		if err != nil {
			return nil, err
		}
		b.dir.note(l, r)
		l.Apply(r)
	}
	return l, b.dir.load(ctx, b.log, l)
}

// Start records that the broker runs and lets devices in.
func (b *Broker) Start(ctx context.Context) error {
	err := b.seq.do(ctx, func(t *turn) error {
		_, err := t.decide(domain.StartBroker{At: t.now, Version: b.version})
		return err
	})
	if err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.open = true
	b.watchSilence()
	return nil
}

// Stop lets nobody in any more, closes every link and every upstream
// conversation, and returns when all that was decided is durable. The sessions
// keep their seats: their devices resume them after the next start. It stops
// what [Open] began also where Start was never called.
func (b *Broker) Stop(ctx context.Context) error {
	b.stopOnce.Do(func() { b.stopErr = b.shutDown(ctx) })
	return b.stopErr
}

func (b *Broker) shutDown(ctx context.Context) error {
	wasOpen, sessions := b.closeDoors()
	var parting sync.WaitGroup
	for _, s := range sessions {
		parting.Go(s.suspend)
	}
	parting.Wait()
	var err error
	if wasOpen {
		err = b.seq.do(ctx, func(t *turn) error {
			_, err := t.decide(domain.StopBroker{At: t.now})
			return err
		})
	}
	b.seq.stop() // from here on no session ends any more
	b.ending.Wait()
	return err
}

// closeDoors gives the sessions there are, and sees to it that none is added.
func (b *Broker) closeDoors() (wasOpen bool, sessions []*session) {
	b.mu.Lock()
	defer b.mu.Unlock()
	wasOpen, b.open = b.open, false
	if b.unwatch != nil {
		b.unwatch()
	}
	for _, s := range b.sessions {
		sessions = append(sessions, s)
	}
	return wasOpen, sessions
}

// Failed is closed when a batch could not be written. The broker then answers
// everything with an error; the process is to be ended and started again.
func (b *Broker) Failed() <-chan struct{} { return b.seq.failed }

// Err tells why Failed is closed.
func (b *Broker) Err() error {
	select {
	case <-b.seq.failed:
		return b.seq.failure()
	default:
		return nil
	}
}

// register adds a session that begins or wakes; false once the doors are closed.
func (b *Broker) register(s *session) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.open {
		return false
	}
	b.sessions[s.id] = s
	return true
}

func (b *Broker) unregister(s *session) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.sessions[s.id] == s {
		delete(b.sessions, s.id)
	}
}

func (b *Broker) session(id domain.SessionID) *session {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.sessions[id]
}

func (b *Broker) isOpen() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.open
}

// react follows durable events: a session that is over on record is taken down.
// It is called by the log writer and does not wait for anybody.
func (b *Broker) react(records []domain.Record) {
	for _, r := range records {
		switch e := r.Event.(type) {
		case *domain.SessionIdledOut:
			b.end(Notice{Session: e.Session, IdledOut: true})
		case *domain.SessionEnded:
			b.end(Notice{Session: e.Session, Cause: e.Cause})
		}
	}
}

func (b *Broker) end(n Notice) {
	if s := b.session(n.Session); s != nil {
		b.ending.Go(func() { s.end(n) })
	}
}
