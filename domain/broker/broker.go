package broker

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
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
	// Dormant is after how long without use a device is sent no more news of
	// contacts, until it is used again; 5 min.
	Dormant time.Duration
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
		{&t.Dormant, 5 * time.Minute},
	} {
		if *d.field == 0 {
			*d.field = d.value
		}
	}
	return t
}

// defaultConnecting is how many upstream logins of one service run at once unless
// Config says otherwise.
const defaultConnecting = 64

// Config is what a broker is made of.
type Config struct {
	Log        Log
	Connectors []Connector
	Clock      Clock        // SystemClock where nil
	Logger     *slog.Logger // silent where nil
	Version    string
	Timing     Timing
	// Connecting is how many upstream logins of one service run at once; 64
	// where zero.
	Connecting int
	// Openings is how often one device may log in or resume: 20 times at once,
	// then once a second, unless it says otherwise.
	Openings Rate
	// Snapshots keeps what was made of the log; where nil, the whole log is read
	// at every start.
	Snapshots Snapshots
	// Waking is how often sessions of one service are logged in upstream again
	// after a restart: 64 at once, then one in 5 ms, unless it says otherwise.
	Waking Rate
	// Inbox keeps what waits for devices; where nil it is kept in memory, and
	// lost with the process.
	Inbox Inbox
	// Sealer closes what is put into the inbox; where nil letters are readable
	// there, and go to the device as they are.
	Sealer Sealer
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
	connecting int
	dir        *directory
	seq        *sequencer
	turnstile  *turnstile
	keeper     *keeper
	counters   *counters
	meter      InboxMeter // nil where the inbox tells nothing
	ramps      *ramps
	inbox      Inbox
	sealer     Sealer
	inboxFull  atomic.Bool // the inbox has no room at present
	sleepers   sleepers

	mu        sync.Mutex
	sessions  map[domain.SessionID]*session
	mailboxes map[MailboxID]*mailbox             // those that are in somebody's hands
	places    map[domain.ServiceID]chan struct{} // one for each upstream login under way
	open      bool                               // devices are let in
	stopped   bool
	unwatch   func() bool
	unsweep   func() bool // the sweep of the day
	sweeping  sync.Mutex  // held by the one sweep that is under way
	sweepDue  atomic.Bool
	idle      map[MailboxID]idleMailbox // sweeping's own: of the latest sweep
	inside    sync.WaitGroup            // logins and resumes under way
	ending    sync.WaitGroup            // sessions on their way out
	stopOnce  sync.Once
	stopErr   error
}

var _ Devices = (*Broker)(nil)

// Open reads the log and gives a broker that takes operator commands. Devices
// are let in from [Broker.Start] on. Whoever opens a broker stops it.
func Open(ctx context.Context, c Config) (*Broker, error) {
	b := &Broker{
		log: c.Log, logger: c.Logger, version: c.Version,
		timing:     c.Timing.withDefaults(),
		connectors: make(map[domain.Kind]Connector),
		connecting: c.Connecting,
		dir:        newDirectory(),
		inbox:      c.Inbox,
		sealer:     c.Sealer,
		sessions:   make(map[domain.SessionID]*session),
		mailboxes:  make(map[MailboxID]*mailbox),
		places:     make(map[domain.ServiceID]chan struct{}),
		counters:   newCounters(),
	}
	b.meter, _ = c.Inbox.(InboxMeter)
	if c.Clock == nil {
		c.Clock = SystemClock{}
	}
	clock := newSteadyClock(c.Clock)
	b.clock = clock
	if b.logger == nil {
		b.logger = slog.New(slog.DiscardHandler)
	}
	if b.inbox == nil {
		b.inbox = NewMemoryInbox()
	}
	if b.sealer == nil {
		b.sealer = unsealed{}
	}
	if b.connecting == 0 {
		b.connecting = defaultConnecting
	}
	for _, k := range c.Connectors {
		b.connectors[k.Kind()] = k
		if sheltered, ok := k.(Sheltered); ok {
			sheltered.Shelter(b)
		}
	}
	b.turnstile = newTurnstile(c.Openings, b.clock, b.logger, b.counters)
	b.ramps = newRamps(c.Waking, b.clock)
	b.keeper = newKeeper(c.Log, c.Snapshots, b.logger)
	ledger, err := b.read(ctx)
	if err != nil {
		b.keeper.close()
		return nil, fmt.Errorf("read the event log: %w", err)
	}
	clock.notBefore(ledger.Stamp(clock.Now()))
	b.seq = newSequencer(c.Log, clock, b.logger, ledger, b.dir, b.react, b.counters)
	return b, nil
}

// read makes the ledger and the directory of the log.
func (b *Broker) read(ctx context.Context) (*domain.Ledger, error) {
	f, err := b.keeper.open(ctx)
	if err != nil {
		return nil, err
	}
	b.dir.endings = f.endings
	return f.ledger, b.dir.load(ctx, b.log, f.ledger)
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

// react follows durable events: a session that is over on record is taken down,
// and new settings reach the devices.
// It is called by the log writer and does not wait for anybody.
func (b *Broker) react(records []domain.Record) {
	b.counters.note(records)
	for _, r := range records {
		switch e := r.Event.(type) {
		case *domain.SessionIdledOut:
			b.end(Notice{Session: e.Session, IdledOut: true})
		case *domain.SessionEnded:
			b.end(Notice{Session: e.Session, Cause: e.Cause})
		case *domain.ServiceConfigured:
			b.pace(r.Position, e)
		case *domain.DeviceRevoked, *domain.PersonBarred, *domain.ServiceRemoved:
			b.sweepSoon()
		}
	}
	b.keeper.look()
}

func (b *Broker) end(n Notice) {
	if s := b.session(n.Session); s != nil {
		b.ending.Go(func() { s.end(n) })
	}
}
