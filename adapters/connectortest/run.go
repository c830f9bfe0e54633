package connectortest

import (
	"context"
	"testing"

	"go.uber.org/goleak"

	"rollcall/domain"
	"rollcall/domain/broker"
)

// cases are the suite. needs are the claims without which a case is not run.
var cases = []struct {
	name  string
	needs Claim
	run   func(*trial)
}{
	{"settings that lead to the server pass the check", 0, checkTakes},
	{"settings that cannot work are refused with what to do", 0, checkRefuses},
	{"a login with the right password succeeds", 0, loginSucceeds},
	{"a wrong password is bad-credentials and is repeated nowhere", 0, wrongPassword},
	{"an unknown account is bad-credentials", 0, unknownAccount},
	{"a login that is cancelled from the start leaves nothing", 0, loginCancelled},
	{"nobody at the address is upstream-unreachable", Network, unreachable},
	{"a silent server is upstream-timeout when ctx ends", Network, silentServer},
	{"a login cancelled on the way frees its connection", Network, cancelledOnTheWay},
	{"a full server is upstream-full", Limit, fullServer},
	{"logins at the same time all succeed", 0, concurrentLogins},
	{"an account can be logged in twice", SharedAccounts, sharedAccount},
	{"the roster comes once and before any presence", 0, rosterFirst},
	{"the roster holds the contacts", Roster, rosterHoldsContacts},
	{"messages go both ways in order", 0, messagesBothWays},
	{"a message from outside arrives", 0, messageArrives},
	{"a message to nobody does not end the conversation", 0, unknownRecipient},
	{"a message to somebody who is away is kept or refused", 0, absentRecipient},
	{"a sink that blocks slows and loses nothing", 0, blockedSink},
	{"a message counts as sent when its recipient has acknowledged it", Receipts, sentWhenAcknowledged},
	{"presence goes both ways", Presence, presenceBothWays},
	{"typing arrives", Typing, typingArrives},
	{"logout ends it for good and can be repeated", 0, logoutTwice},
	{"logout waits for a sink that blocks as long as its context lets it", 0, logoutWhileBlocked},
	{"a server that goes away closes each conversation once", Restart, serverGoesAway},
	{"a connection that breaks closes its own conversation only", Network, ownConnection},
	{"what was not acknowledged is delivered again", Acknowledgement, redelivery},
}

// Run runs the suite. Its cases run one after the other, and each must leave no
// goroutine behind.
func Run(t *testing.T, h Harness) {
	h.check(t)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if !h.claims(c.needs) {
				t.Skip("the harness does not claim this")
			}
			run(t, h, c.run)
		})
	}
}

func run(t *testing.T, h Harness, body func(*trial)) {
	before := goleak.IgnoreCurrent()
	c := &trial{T: t, Harness: h}
	defer func() { // also after t.Fatal
		c.close()
		goleak.VerifyNone(t, before)
		for _, sink := range c.sinks {
			sink.checkEnd(t)
		}
	}()
	body(c)
}

// trial is one case under way.
type trial struct {
	*testing.T
	Harness
	sessions []*session
	sinks    []*recorder
	closers  []func()
}

// session is one conversation of the case.
type session struct {
	broker.Conversation
	person Person
	sink   *recorder
}

// close logs out whatever the case has left.
func (c *trial) close() {
	for _, s := range c.sessions {
		c.logout(s)
	}
	for _, f := range c.closers {
		f()
	}
}

// ctx bounds one exchange with the server.
func (c *trial) ctx() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), c.Wait)
}

// try logs a person in with the given settings, and gives what came of it.
func (c *trial) try(ctx context.Context, settings domain.Settings, p Person) (*session, error) {
	c.Helper()
	s := &session{person: p, sink: newRecorder(c.Wait)}
	login := broker.UpstreamLogin{
		Session:  domain.SessionID(len(c.sessions) + 1),
		Settings: settings,
		Account:  p.Account,
		Password: p.Password,
	}
	c.sinks = append(c.sinks, s.sink)
	var err error
	s.Conversation, err = c.Connector.Login(ctx, login, s.sink)
	switch {
	case err != nil && s.Conversation != nil:
		c.Errorf("Login(%s) = a conversation and the error %v, want one of them", p.Account, err)
	case err == nil && s.Conversation == nil:
		c.Fatalf("Login(%s) = neither a conversation nor an error", p.Account)
	case err == nil:
		c.sessions = append(c.sessions, s)
		s.sink.join(s.Conversation)
	default:
		s.sink.end("a failed Login")
	}
	return s, err
}

// loginAt logs a person in through the given settings; the case ends if it
// cannot.
func (c *trial) loginAt(settings domain.Settings, p Person) *session {
	c.Helper()
	ctx, cancel := c.ctx()
	defer cancel()
	s, err := c.try(ctx, settings, p)
	if err != nil {
		c.Fatalf("Login(%s) = %v, want a conversation", p.Account, err)
	}
	return s
}

func (c *trial) login(p Person) *session {
	c.Helper()
	return c.loginAt(c.Settings, p)
}

// both logs two people in and waits until they see each other, where they can.
func (c *trial) both() (a, b *session) {
	c.Helper()
	a, b = c.login(c.People[0]), c.login(c.People[1])
	c.awaitEachOther(a, b)
	return a, b
}

func (c *trial) awaitEachOther(a, b *session) {
	c.Helper()
	if c.claims(Presence) {
		a.sink.await(c.T, "presence of "+b.person.Account, sees(b.person, broker.ShowAvailable))
		b.sink.await(c.T, "presence of "+a.person.Account, sees(a.person, broker.ShowAvailable))
	}
}

func (c *trial) logout(s *session) {
	c.Helper()
	ctx, cancel := c.ctx()
	defer cancel()
	if err := s.Logout(ctx); err != nil && !s.sink.isClosed() {
		c.Errorf("Logout(%s) = %v, want no error", s.person.Account, err)
	}
	s.sink.end("Logout")
}

// send sends a message that must be taken.
func (c *trial) send(from *session, to Person, id, body string) {
	c.Helper()
	ctx, cancel := c.ctx()
	defer cancel()
	m := broker.OutgoingMessage{ID: id, To: to.address(), Body: body}
	if err := from.Send(ctx, m); err != nil {
		c.Fatalf("Send(%s to %s) = %v, want no error", from.person.Account, m.To, err)
	}
}

// sendBehind sends a message that may have to wait for its recipient, and gives
// what comes of it.
func (c *trial) sendBehind(from *session, to Person, id, body string) <-chan error {
	outcome := make(chan error, 1)
	go func() {
		ctx, cancel := c.ctx()
		defer cancel()
		outcome <- from.Send(ctx, broker.OutgoingMessage{ID: id, To: to.address(), Body: body})
	}()
	return outcome
}
