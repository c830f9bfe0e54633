package local

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"rollcall/domain"
	"rollcall/domain/broker"
)

// total is how many sessions the built-in service is made for.
const total = 10_000

// Connector is the built-in service. It is safe for concurrent use.
//
// Lock order: the connector's lock, then a queue's. No sink is called under
// either.
type Connector struct {
	store   *Store
	logger  *slog.Logger
	postman broker.Postman // nil where nobody keeps messages

	mu     sync.Mutex
	people map[string]*person
	// audience are the sessions with a roster, which are told about the others.
	audience map[*conversation]struct{}
	told     *directory // what the rosters say
	away     bool       // Interrupt was called
	watch    *time.Timer

	problem string // with the account file, as last logged
}

var (
	_ broker.Connector = (*Connector)(nil)
	_ broker.Sheltered = (*Connector)(nil)
)

// New gives the service for the accounts in store. It logs what it cannot tell
// anybody else.
func New(store *Store, logger *slog.Logger) *Connector {
	return &Connector{
		store:    store,
		logger:   logger,
		people:   make(map[string]*person),
		audience: make(map[*conversation]struct{}),
		told:     &directory{},
	}
}

// Kind gives [domain.KindLocal].
func (c *Connector) Kind() domain.Kind { return domain.KindLocal }

// Total gives 10,000.
func (c *Connector) Total() domain.Optional[uint32] { return domain.Some[uint32](total) }

// Shelter implements [broker.Sheltered]. It is called before the connector is used.
func (c *Connector) Shelter(p broker.Postman) { c.postman = p }

// deposit keeps a message for the sessions that sleep under an account.
func (c *Connector) deposit(ctx context.Context, name string, m broker.MessageReceived) (kept bool, err error) {
	if c.postman == nil {
		return false, nil
	}
	return c.postman.Deposit(ctx, domain.KindLocal, name, m)
}

// Check implements [broker.Connector].
func (c *Connector) Check(settings domain.Settings) error { return checkSettings(settings) }

// Login implements [broker.Connector]. The person is available from then on.
func (c *Connector) Login(ctx context.Context, login broker.UpstreamLogin, sink broker.Sink) (broker.Conversation, error) {
	if err := checkSettings(login.Settings); err != nil {
		return nil, &broker.UpstreamError{Code: domain.RejectUpstreamRefused, Text: err.Error(), Err: err}
	}
	accounts, err := c.store.verify(ctx, login.Account, login.Password)
	if err != nil {
		return nil, loginError(err)
	}
	v := &conversation{
		connector: c,
		presence:  broker.OwnPresence{Show: broker.ShowAvailable},
		roster:    login.Settings.Options[optionRoster] != rosterNobody,
		queue:     queue{sink: sink},
	}
	if err := c.enter(v, login.Account, accounts); err != nil {
		return nil, loginError(err)
	}
	return v, nil
}

// loginError says why a login failed in the broker's words.
func loginError(err error) error {
	var refusal *broker.UpstreamError
	switch {
	case errors.As(err, &refusal), errors.Is(err, context.Canceled):
		return err
	case errors.Is(err, errWrongPassword):
		return &broker.UpstreamError{Code: domain.RejectBadCredentials, Text: err.Error(), Err: err}
	case errors.Is(err, context.DeadlineExceeded):
		return &broker.UpstreamError{Code: domain.RejectUpstreamTimeout, Text: "too many logins at once", Err: err}
	}
	return &broker.UpstreamError{Code: domain.RejectUpstreamRefused, Text: err.Error(), Err: err}
}

// enter brings a session in: it is told who is there, and the others that it is.
func (c *Connector) enter(v *conversation, name string, accounts *directory) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.away {
		return errAway()
	}
	c.adopt(accounts)
	account := c.told.find(name)
	if account == nil {
		return errWrongPassword // removed since the password was looked at
	}
	p := c.people[account.Name]
	if p == nil {
		p = &person{name: account.Name}
		c.people[p.name] = p
	}
	v.person = p
	c.welcome(v)
	c.change(p, func() { p.add(v) })
	c.keepWatch()
	return nil
}

// welcome tells a new session who is in its roster, and how they are.
func (c *Connector) welcome(v *conversation) {
	if !v.roster {
		v.queue.put(broker.RosterReceived{})
		return
	}
	c.audience[v] = struct{}{}
	contacts := make([]broker.Contact, 0, len(c.told.accounts))
	for i := range c.told.accounts {
		if a := &c.told.accounts[i]; a.Name != v.person.name {
			contacts = append(contacts, contactOf(a))
		}
	}
	v.queue.put(broker.RosterReceived{Contacts: contacts})
	for _, other := range c.people {
		if how := other.presence(); other != v.person && how.Show != broker.ShowOffline {
			v.queue.put(presenceOf(other.name, how))
		}
	}
}

// change does what may change a person's presence, and tells the others if it
// has.
func (c *Connector) change(p *person, do func()) {
	before := p.presence()
	do()
	after := p.presence()
	if before == after {
		return
	}
	c.tell(p.name, presenceOf(p.name, after))
}

// tell tells every session with a roster, except those of the one it is about.
func (c *Connector) tell(about string, e broker.UpstreamEvent) {
	for v := range c.audience {
		if v.person.name != about {
			v.queue.put(e)
		}
	}
}

// leave takes a session out, if it is still there.
func (c *Connector) leave(v *conversation) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := v.person
	delete(c.audience, v)
	c.change(p, func() { p.remove(v) })
	c.forget(p)
	if v.ended == nil {
		v.ended = errLoggedOut
	}
}

// forget drops a person without sessions, and stops watching for nobody.
func (c *Connector) forget(p *person) {
	if len(p.sessions) == 0 && c.people[p.name] == p {
		delete(c.people, p.name)
	}
	if len(c.people) == 0 && c.watch != nil {
		c.watch.Stop()
		c.watch = nil
	}
}

// end ends all sessions of a person from the server's side.
func (c *Connector) end(p *person, why *broker.UpstreamError) {
	for _, v := range p.sessions {
		delete(c.audience, v)
		v.ended = why
		v.queue.finish(broker.Closed{Err: why})
	}
	p.sessions = nil
	c.forget(p)
}

// Interrupt makes the service seem to have gone away: every conversation is
// closed, and nobody can log in until Restore. It is for tests and the demo.
func (c *Connector) Interrupt() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.away = true
	for _, p := range c.people {
		c.end(p, errAway())
	}
}

// Restore ends what Interrupt began.
func (c *Connector) Restore() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.away = false
}

var errLoggedOut = errors.New("the session has logged out")

func errAway() *broker.UpstreamError {
	return &broker.UpstreamError{Code: domain.RejectUpstreamUnreachable, Text: "the built-in service has been interrupted"}
}

func contactOf(a *account) broker.Contact {
	return broker.Contact{Address: a.Name, Name: cmp.Or(a.Display, a.Name)}
}

func presenceOf(name string, p broker.OwnPresence) broker.PresenceChanged {
	return broker.PresenceChanged{Contact: name, Show: p.Show, Text: p.Text}
}

// refuse gives the error for a message that could not be sent.
func refuse(format string, args ...any) error {
	return &broker.SendError{Text: fmt.Sprintf(format, args...)}
}
