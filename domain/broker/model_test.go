package broker_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"rollcall/domain"
	"rollcall/domain/broker"
)

const (
	modelDevices = 8
	modelSeats   = 5
	modelTime    = 12 * time.Minute
)

// TestModel lets devices, upstream servers, an operator and restarts do as they
// like, and then asks whether every promise was kept.
func TestModel(t *testing.T) {
	for seed := range uint64(30) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { newModel(t, seed).run() })
		})
	}
}

type model struct {
	*testing.T
	log      *memory
	inbox    *modelInbox
	devices  []*modelDevice
	accounts map[string]*modelAccount

	mu     sync.Mutex
	broker *broker.Broker
	cut    *cuttable // the broker's way to the log
	box    *inboxOf  // and to the inbox
	rand   *rand.Rand
	calm   bool // nothing goes wrong any more
}

// cuttable is a log that can be taken away from its broker.
type cuttable struct {
	*memory
	m   *model
	mu  sync.Mutex
	off bool
}

func (c *cuttable) Append(ctx context.Context, after domain.Position, b domain.Batch) (domain.Position, error) {
	for range c.m.n(20) { // not Sleep: time stands still while anybody waits for a lock
		runtime.Gosched()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.off {
		return 0, errors.New("the machine is gone")
	}
	return c.memory.Append(ctx, after, b)
}

func (c *cuttable) cutOff() { c.mu.Lock(); defer c.mu.Unlock(); c.off = true }

func newModel(t *testing.T, seed uint64) *model {
	m := &model{T: t, log: newMemory(), accounts: map[string]*modelAccount{}, rand: rand.New(rand.NewPCG(seed, 1))}
	m.inbox = newModelInbox(m)
	m.begin()
	_, err := m.broker.ConfigureService(t.Context(), "im", domain.Settings{
		Kind: domain.KindLocal, MaxSessions: domain.Some[uint32](modelSeats),
		IdleTimeout: domain.Some(40 * time.Second), InactivityTimeout: domain.Some(3 * time.Minute),
		Evict: []domain.Evict{domain.EvictAll, domain.EvictFewest}[seed%2],
	})
	if err != nil {
		t.Fatal(err)
	}
	h := &house{T: t, Broker: m.broker, log: m.log}
	for i := range modelDevices {
		name := fmt.Sprint("p", i)
		m.accounts[name] = &modelAccount{name: name, safe: map[int]bool{}}
		m.devices = append(m.devices, &modelDevice{m: m, name: name, id: h.device(name), key: h.keys})
	}
	return m
}

// n gives a random number below limit, chance a truth with that percentage.
func (m *model) n(limit int) int         { m.mu.Lock(); defer m.mu.Unlock(); return m.rand.IntN(limit) }
func (m *model) chance(percent int) bool { return m.n(100) < percent }
func (m *model) isCalm() bool            { m.mu.Lock(); defer m.mu.Unlock(); return m.calm }

func (m *model) present() *broker.Broker { m.mu.Lock(); defer m.mu.Unlock(); return m.broker }

func (m *model) begin() {
	cut, box := &cuttable{memory: m.log, m: m}, &inboxOf{modelInbox: m.inbox}
	b, err := broker.Open(context.Background(), broker.Config{
		Log: cut, Connectors: []broker.Connector{modelUpstream{m}}, Connecting: 3,
		Inbox: box, Sealer: modelSealer{},
	})
	if err == nil {
		err = b.Start(context.Background())
	}
	if err != nil {
		m.Fatal(err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.broker, m.cut, m.box = b, cut, box
}

func (m *model) run() {
	ctx, cancel := context.WithTimeout(context.Background(), modelTime)
	defer cancel()
	var all sync.WaitGroup
	for _, d := range m.devices {
		all.Go(func() { d.live(ctx) })
	}
	all.Go(func() { m.serve(ctx) })
	all.Go(func() { m.operate(ctx) })
	for ctx.Err() == nil {
		time.Sleep(time.Duration(30+m.n(200)) * time.Second)
		m.restart()
	}
	all.Wait()
	m.settle()
	if err := m.present().Stop(context.Background()); err != nil {
		m.Errorf("Stop: %v", err)
	}
	m.checkLog()
}

// restart stops the broker, or has it lose its log and its inbox, and begins another.
func (m *model) restart() {
	b := m.present()
	if m.chance(50) {
		m.cut.cutOff()
		m.box.cutOff()
	}
	_ = b.Stop(context.Background())
	m.begin()
}

// serve is what upstream servers do of their own accord.
func (m *model) serve(ctx context.Context) {
	for ctx.Err() == nil {
		time.Sleep(time.Duration(m.n(400)) * time.Millisecond)
		account := m.accounts[m.devices[m.n(len(m.devices))].name]
		switch what := m.n(400); {
		case what == 0:
			account.tell(broker.Closed{Err: errors.New("bye")})
		case what < 100:
			account.tell(broker.PresenceChanged{Contact: "somebody", Show: broker.Show(1 + m.n(5))})
		default:
			account.write()
		}
	}
}

func (m *model) operate(ctx context.Context) {
	for ctx.Err() == nil {
		time.Sleep(time.Duration(m.n(60)) * time.Second)
		b := m.present()
		d := m.devices[m.n(len(m.devices))]
		switch what := m.n(40); {
		case what == 0:
			d.revoke()
			_ = b.RevokeDevice(ctx, d.id)
		case what < 20:
			_ = b.EndSession(ctx, d.last())
		}
	}
}

// settle has every device come back and finish, with nothing going wrong.
func (m *model) settle() {
	m.mu.Lock()
	m.calm = true
	m.mu.Unlock()
	for _, seated := range []bool{true, false} { // those without a seat wait for one
		for _, d := range m.devices {
			if seated == (d.last() != 0) {
				d.finish()
			}
		}
	}
}

// checkLog looks at what is on record: see the comments in it.
func (m *model) checkLog() {
	replay := domain.NewReplay()
	endings, accepted := map[domain.SessionID]int{}, map[domain.SessionID]bool{}
	for r := range m.log.Read(m.Context(), 1) {
		if err := replay.Next(r); err != nil { // the rules give just this
			m.Error(err)
		}
		switch e := r.Event.(type) {
		case *domain.LoginAccepted:
			accepted[e.Session] = true
		case *domain.SessionEnded:
			endings[e.Session]++
		case *domain.SessionIdledOut:
			endings[e.Session]++
		}
		if s, ok := replay.Ledger().ServiceNamed("im"); ok && s.Seats > modelSeats {
			m.Errorf("%d seats are taken at position %d, want at most %d", s.Seats, r.Position, modelSeats)
		}
	}
	if err := replay.End(); err != nil {
		m.Error(err)
	}
	for id := range accepted { // one ending, or still live
		seat, held := replay.Ledger().Seat(id)
		if live := held && seat.Live; live && endings[id] != 0 || !live && endings[id] != 1 {
			m.Errorf("session %d: live = %v with %d endings", id, live, endings[id])
		}
	}
	for key := range m.log.sides { // credentials go with their session
		if _, held := replay.Ledger().Seat(domain.SessionID(key.Position)); key.Kind == domain.SideCredentials && !held {
			m.Errorf("the credentials of session %d outlive it", key.Position)
		}
	}
	if len(accepted) < modelDevices {
		m.Errorf("only %d sessions came about: the model is too timid", len(accepted))
	}
}
