package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
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

	mu       sync.Mutex
	heard    map[string]int // how often, by the text
	unsent   []broker.Send  // to be sent, or again
	underWay map[string]broker.Send
	refused  int
	resumes  int
	progress chan struct{}
}

// window is how many messages a talker keeps under way.
const window = 64

func newTalker(t *testing.T, name, service, identity string) *talker {
	return &talker{
		t: t, name: name, round: fmt.Sprintf("%08x", rand.Uint32()), service: service, identity: identity,
		heard: make(map[string]int), underWay: make(map[string]broker.Send),
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
	session, err := k.login(ctx, client)
	if err != nil {
		return err
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
		session, err := client.Login(ctx, k.service, k.name, "pw-"+strings.SplitN(k.name, "@", 2)[0])
		var refused *device.RejectedError
		if err == nil || errors.As(err, &refused) && !passing[refused.Code] || ctx.Err() != nil {
			return session, err
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
		if err := session.SendAs(m); err != nil {
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
	if answer.Error != "" {
		k.refused++
		m.ID = fmt.Sprintf("%s+%d", strings.SplitN(m.ID, "+", 2)[0], k.refused)
		time.AfterFunc(50*time.Millisecond, func() { k.again(m) })
	}
	k.kick()
}

// again queues a message once more.
func (k *talker) again(m broker.Send) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.unsent = append(k.unsent, m)
	k.kick()
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
		k.heard[body.Body]++
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
	c := &cutConn{Conn: conn, sent: -1, received: -1, gone: func(c *cutConn) { l.forget(c) }}
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
	gone func(*cutConn)

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

func (c *cutConn) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.sent < 0 {
		return c.Conn.Write(p)
	}
	n, err := c.Conn.Write(p[:min(len(p), c.sent)])
	c.sent -= n
	if err == nil && n < len(p) {
		c.Conn.Close()
		err = errCut
	}
	return n, err
}

func (c *cutConn) Read(p []byte) (int, error) {
	c.mu.Lock()
	left := c.received
	c.mu.Unlock()
	switch {
	case left == 0:
		c.Conn.Close()
		return 0, errCut
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
