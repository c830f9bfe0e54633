package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"syscall"

	"rollcall/domain"
	"rollcall/domain/broker"
)

// killAtVariable names a place in the work of the broker, with how often it is
// reached until the process is killed there behind a colon. Only the test binary
// obeys it, and the places are in the broker's ports: the broker knows nothing of
// them.
const killAtVariable = "ROLLCALL_KILL_AT"

// killer kills its own process, as a power cut would, at a place.
type killer struct {
	place string
	left  atomic.Int32 // how often the place is still to be reached
}

// mainKilledAt is main with a place, and a number, at which the process is killed.
func mainKilledAt(where string) {
	k := new(killer)
	place, times, _ := strings.Cut(where, ":")
	var n int32
	if _, err := fmt.Sscan(times, &n); err != nil {
		panic(fmt.Sprintf("%s=%s: %v", killAtVariable, where, err))
	}
	k.place = place
	k.left.Store(n)
	a := newApp(os.Stdin, os.Stdout, os.Stderr)
	a.wrap = func(d broker.Devices) broker.Devices { return killedDevices{d, k} }
	a.ports = k.ports
	os.Exit(a.execute(context.Background(), os.Args[1:]))
}

func (k *killer) reach(place string) {
	if place == k.place && k.left.Add(-1) == 0 {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL) // does not fail
		select {}                                      // it takes effect at any moment
	}
}

func (k *killer) ports(c *broker.Config) {
	c.Log = killedLog{c.Log, c.Log.(broker.Reserve), k}
	c.Inbox = killedInbox{c.Inbox, c.Inbox.(broker.InboxMeter), k}
	for i, connector := range c.Connectors {
		if sheltered, ok := connector.(broker.Sheltered); ok {
			c.Connectors[i] = killedConnector{connector, sheltered, k}
		}
	}
}

// killedLog has the places "append TYPE" and "appended TYPE" around a commit with an
// event of that type.
type killedLog struct {
	broker.Log
	broker.Reserve
	k *killer
}

func (l killedLog) Append(ctx context.Context, after domain.Position, batch domain.Batch) (domain.Position, error) {
	l.reach("append", batch)
	last, err := l.Log.Append(ctx, after, batch)
	l.reach("appended", batch)
	return last, err
}

func (l killedLog) reach(when string, batch domain.Batch) {
	for _, r := range batch.Records {
		l.k.reach(when + " " + r.Event.Type().String())
	}
}

// killedInbox has places around what makes a letter and an answer durable.
type killedInbox struct {
	broker.Inbox
	broker.InboxMeter
	k *killer
}

func (i killedInbox) Put(ctx context.Context, id broker.MailboxID, l broker.Letter) (fresh bool, err error) {
	i.k.reach("put letter")
	defer i.k.reach("have put letter")
	return i.Inbox.Put(ctx, id, l)
}

func (i killedInbox) Answer(ctx context.Context, id broker.MailboxID, a broker.Answer) error {
	i.k.reach("keep answer")
	defer i.k.reach("have kept answer")
	return i.Inbox.Answer(ctx, id, a)
}

// killedConnector has places around what goes upstream.
type killedConnector struct {
	broker.Connector
	broker.Sheltered
	k *killer
}

func (c killedConnector) Login(ctx context.Context, login broker.UpstreamLogin, sink broker.Sink) (broker.Conversation, error) {
	c.k.reach("log in upstream")
	conv, err := c.Connector.Login(ctx, login, sink)
	if err != nil {
		return nil, err
	}
	c.k.reach("have logged in upstream")
	return killedConversation{conv, c.k}, nil
}

type killedConversation struct {
	broker.Conversation
	k *killer
}

func (c killedConversation) Send(ctx context.Context, m broker.OutgoingMessage) error {
	c.k.reach("send upstream")
	defer c.k.reach("have sent upstream")
	return c.Conversation.Send(ctx, m)
}

// killedDevices has places in front of what a device is told, by what that is.
type killedDevices struct {
	broker.Devices
	k *killer
}

func (d killedDevices) Login(ctx context.Context, login broker.Login, link broker.Link) (broker.Session, error) {
	return d.Devices.Login(ctx, login, killedLink{link, d.k})
}

func (d killedDevices) Resume(ctx context.Context, resume broker.Resume, link broker.Link) (broker.Session, error) {
	return d.Devices.Resume(ctx, resume, killedLink{link, d.k})
}

type killedLink struct {
	broker.Link
	k *killer
}

func (l killedLink) Send(m broker.ToDevice) error {
	l.k.reach(fmt.Sprintf("tell %T", m))
	return l.Link.Send(m)
}
