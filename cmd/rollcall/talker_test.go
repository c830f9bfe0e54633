package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"rollcall/adapters/device"
	"rollcall/domain"
	"rollcall/domain/broker"
)

// talker is a device that sends numbered messages to others and notes what it
// hears. It sends again what was refused, and comes back whatever happens to its
// links.
type talker struct {
	t        *testing.T
	name     string
	round    string // tells its messages from an earlier talker's of the same name
	service  string
	identity string
	links    links
	told     *witness // of its logins; may be nil
	// comesBack has it log in again where upstream has ended its session.
	comesBack bool
	live      atomic.Bool  // it has a session
	endings   atomic.Int32 // sessions that upstream ended

	mu       sync.Mutex
	heard    map[string]int    // how often, by the text
	numbers  map[string]uint64 // under which number last, by the text
	order    []string          // the texts, as they were heard first
	unsent   []broker.Send     // to be sent, or again
	underWay map[string]broker.Send
	taken    map[string]bool // by the text: answered, and not refused
	again    map[string]bool // by the text: refused, and sent once more, behind others
	refused  int
	resumes  int
	logins   int // attempts, those that came to nothing included
	away     int // logins that were refused: upstream was away
	unsaid   int // logins that came to nothing without an answer
	progress chan struct{}
}

// window is how many messages a talker keeps under way.
const window = 64

func newTalker(t *testing.T, name, service, identity string) *talker {
	return &talker{
		t: t, name: name, round: fmt.Sprintf("%08x", rand.Uint32()), service: service, identity: identity,
		heard: make(map[string]int), numbers: make(map[string]uint64), underWay: make(map[string]broker.Send), taken: make(map[string]bool), again: make(map[string]bool),
		progress: make(chan struct{}, 1),
	}
}

// say queues a message for somebody: its text names both and its number.
func (k *talker) say(to string, number int) string {
	text := fmt.Sprintf("%s to %s: %d of %s", k.name, to, number, k.round)
	k.unsent = append(k.unsent, broker.Send{ID: strings.ReplaceAll(text, " ", "-"), To: to, Body: text})
	return text
}

// run logs in and talks until ctx ends.
func (k *talker) run(ctx context.Context) error {
	identity, err := device.OpenIdentity(k.identity)
	if err != nil {
		return err
	}
	defer identity.Close()
	client := device.NewClient(identity, device.Options{Dial: k.links.dial, Answer: patience, FirstPause: 10 * time.Millisecond, LongestPause: 100 * time.Millisecond})
	for {
		err := k.talk(ctx, client)
		k.live.Store(false)
		var ended *device.EndedError
		if !k.comesBack || !errors.As(err, &ended) || ended.Cause != domain.EndUpstreamClosed {
			return err
		}
		k.endings.Add(1)
	}
}

// talk logs in and talks until ctx ends or the session does.
func (k *talker) talk(ctx context.Context, client *device.Client) error {
	session, err := k.login(ctx, client)
	if err != nil {
		return err
	}
	k.live.Store(true)
	if k.told != nil {
		k.told.note(k.told.accepted, session.ID())
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var sending sync.WaitGroup
	sending.Go(func() { k.send(ctx, session) })
	err = session.Run(ctx, device.Handler{Item: k.hear, Sent: k.sent, Coverage: k.coverage})
	cancel()
	sending.Wait()
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return fmt.Errorf("%s: the session ended: %w", k.name, err)
}

// login logs in; what a lost link or a killed appliance makes of it is tried
// again.
func (k *talker) login(ctx context.Context, client *device.Client) (*device.Session, error) {
	for {
		k.logins++
		session, err := client.Login(ctx, k.service, k.name, "pw-"+strings.SplitN(k.name, "@", 2)[0])
		var refused *device.RejectedError
		if err == nil || errors.As(err, &refused) && !passing[refused.Code] || ctx.Err() != nil {
			return session, err
		}
		if refused != nil {
			k.away++
		} else {
			k.unsaid++
		}
		sleepFor(ctx, 10*time.Millisecond)
	}
}

// passing are the refusals of a moment.
var passing = map[domain.RejectCode]bool{
	domain.RejectInterrupted: true, domain.RejectUpstreamUnreachable: true, domain.RejectUpstreamRefused: true, domain.RejectUpstreamTimeout: true,
}

// send has the window filled until ctx ends.
func (k *talker) send(ctx context.Context, session *device.Session) {
	for ctx.Err() == nil {
		m, ok := k.next()
		if !ok {
			select {
			case <-k.progress:
			case <-ctx.Done():
			}
			continue
		}
		switch err := session.SendAs(m); {
		case errors.Is(err, device.ErrSessionOver): // the next one takes it
			k.requeue(m)
			return
		case err != nil:
			k.t.Errorf("%s: %v", k.name, err)
			return
		}
	}
}

func (k *talker) next() (broker.Send, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.unsent) == 0 || len(k.underWay) >= window {
		return broker.Send{}, false
	}
	m := k.unsent[0]
	k.unsent = k.unsent[1:]
	k.underWay[m.ID] = m
	return m, true
}

// sent takes an answer: what was refused goes again, under a new name, a moment
// later.
func (k *talker) sent(answer broker.Sent) {
	k.mu.Lock()
	defer k.mu.Unlock()
	m, ok := k.underWay[answer.ID]
	if !ok {
		k.t.Errorf("%s: an answer to %s, which is not under way", k.name, answer.ID)
		return
	}
	delete(k.underWay, answer.ID)
	k.taken[m.Body] = answer.Error == ""
	if answer.Error != "" {
		k.refused++
		k.again[m.Body] = true
		m.ID = fmt.Sprintf("%s+%d", strings.SplitN(m.ID, "+", 2)[0], k.refused)
		time.AfterFunc(50*time.Millisecond, func() { k.requeue(m) })
	}
	k.kick()
}

// requeue queues a message once more.
func (k *talker) requeue(m broker.Send) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.underWay, m.ID)
	k.unsent = append(k.unsent, m)
	k.kick()
}

// waiting gives how many messages have not been answered for good.
func (k *talker) waiting() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.unsent) + len(k.underWay)
}

func (k *talker) kick() {
	select {
	case k.progress <- struct{}{}:
	default:
	}
}

func (k *talker) hear(item broker.Item) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	switch body := item.Body.(type) {
	case broker.MessageReceived:
		if k.comesBack && k.numbers[body.Body] == item.Number {
			return nil // a session that ended left it unacknowledged: the same letter, from the next one
		}
		if k.heard[body.Body] == 0 {
			k.order = append(k.order, body.Body)
		}
		k.heard[body.Body]++
		k.numbers[body.Body] = item.Number
	case broker.Dropped:
		k.t.Errorf("%s: %d messages were dropped", k.name, body.Count)
	}
	return nil
}

func (k *talker) coverage(covered bool, _ error) {
	if covered {
		k.mu.Lock()
		defer k.mu.Unlock()
		k.resumes++
	}
}

// places gives at which place each text was heard first.
func (k *talker) places() map[string]int {
	k.mu.Lock()
	defer k.mu.Unlock()
	places := make(map[string]int, len(k.order))
	for i, text := range k.order {
		places[text] = i
	}
	return places
}

// wasRefused tells of a message to somebody that it had to be sent once more.
func (k *talker) wasRefused(text string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.again[text]
}

// count gives how many of the texts were heard, and reports those heard twice.
func (k *talker) count(texts []string) (heard int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, text := range texts {
		switch n := k.heard[text]; {
		case n > 1:
			k.t.Errorf("%s heard %q %d times", k.name, text, n)
			fallthrough
		case n == 1:
			heard++
		}
	}
	return heard
}

// links are a device's connections, which a test may cut.
type links struct {
	mu   sync.Mutex
	open map[*cutConn]struct{}
	// budget is how many bytes the coming connections may carry, one after the
	// other, in which direction; connections beyond it are whole.
	budget []cut
	broken int // how many have broken at the end of their budget
}

// cut tells when a connection breaks: after so many bytes, sent or received.
type cut struct {
	after    int
	received bool
}

func (l *links) dial(ctx context.Context, network, address string) (net.Conn, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	c := &cutConn{Conn: conn, sent: -1, received: -1, gone: func(c *cutConn) { l.forget(c) }, broke: l.note}
	if len(l.budget) > 0 {
		next := l.budget[0]
		l.budget = l.budget[1:]
		c.limit(next)
	}
	if l.open == nil {
		l.open = make(map[*cutConn]struct{})
	}
	l.open[c] = struct{}{}
	return c, nil
}

func (l *links) forget(c *cutConn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.open, c)
}

// note counts a connection that has broken at the end of its budget.
func (l *links) note() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.broken++
}

// hits gives how many connections have broken at the end of their budget.
func (l *links) hits() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.broken
}

// cutAll breaks the connections there are.
func (l *links) cutAll() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for c := range l.open {
		c.Conn.Close()
	}
}

// cutConn is a connection that breaks when its budget is used up; a negative one
// never is.
type cutConn struct {
	net.Conn
	gone  func(*cutConn)
	broke func() // called once, when the budget is used up and more is wanted
	once  sync.Once

	mu             sync.Mutex
	sent, received int
}

func (c *cutConn) limit(at cut) {
	if at.received {
		c.received = at.after
	} else {
		c.sent = at.after
	}
}

var errCut = errors.New("the test cut the link")

// end breaks the connection.
func (c *cutConn) end() error {
	c.once.Do(c.broke)
	c.Conn.Close()
	return errCut
}

func (c *cutConn) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.sent < 0 {
		return c.Conn.Write(p)
	}
	n, err := c.Conn.Write(p[:min(len(p), c.sent)])
	c.sent -= n
	if err == nil && n < len(p) {
		err = c.end()
	}
	return n, err
}

func (c *cutConn) Read(p []byte) (int, error) {
	c.mu.Lock()
	left := c.received
	c.mu.Unlock()
	switch {
	case left == 0:
		return 0, c.end()
	case left > 0:
		p = p[:min(len(p), left)]
	}
	n, err := c.Conn.Read(p)
	if left > 0 {
		c.mu.Lock()
		c.received -= n
		c.mu.Unlock()
	}
	return n, err
}

func (c *cutConn) Close() error {
	c.gone(c)
	return c.Conn.Close()
}

// pick gives a random one.
func pick[T any](from []T) T { return from[rand.IntN(len(from))] }
