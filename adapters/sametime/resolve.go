package sametime

import (
	"context"

	"rollcall/adapters/sametime/wire"
)

// maxResolved is how many names one conversation remembers.
const maxResolved = 256

// lookup is what is known of names, and who waits to know more. It is under the
// conversation's lock.
type lookup struct {
	known   map[string]string // user ids by name
	waiting map[uint32]chan outcome
	asked   uint32
}

// outcome is what becomes of a question.
type outcome struct {
	id  string
	err error
}

func (l *lookup) answer(request uint32, o outcome) {
	if w := l.waiting[request]; w != nil {
		delete(l.waiting, request)
		w <- o // has room for one
	}
}

func (l *lookup) giveUp(err error) {
	for request := range l.waiting {
		l.answer(request, outcome{err: err})
	}
}

// ask begins a question.
func (l *lookup) ask() (uint32, <-chan outcome) {
	if l.waiting == nil {
		l.waiting = make(map[uint32]chan outcome)
	}
	l.asked++
	w := make(chan outcome, 1)
	l.waiting[l.asked] = w
	return l.asked, w
}

func (l *lookup) remember(name, id string) {
	if l.known == nil || len(l.known) >= maxResolved {
		l.known = make(map[string]string)
	}
	l.known[name] = id
}

// resolve gives the user id that a name stands for. Where the server offers no
// resolving, the name is taken for one.
func (c *Conversation) resolve(ctx context.Context, name string) (string, error) {
	c.mu.Lock()
	id, known := c.lookup.known[name]
	ch := c.serviceChannel(wire.ServiceResolve)
	c.mu.Unlock()
	if known {
		return id, nil
	}
	if len(name) > wire.MaxString {
		return "", sendError("the recipient's name is too long")
	}
	if ch == nil {
		if err := c.openService(wire.ServiceResolve); err != nil {
			return "", err
		}
		c.mu.Lock()
		ch = c.serviceChannel(wire.ServiceResolve)
		c.mu.Unlock()
	}
	if ch == nil { // refused already
		return name, nil
	}
	if err := c.await(ctx, ch); err != nil {
		return name, c.live()
	}
	return c.ask(ctx, ch, name)
}

func (c *Conversation) ask(ctx context.Context, ch *channel, name string) (string, error) {
	c.mu.Lock()
	request, answer := c.lookup.ask()
	c.mu.Unlock()
	err := c.sendOn(ch, nil, &wire.ResolveRequest{Request: request, Names: []string{name}, Flags: wire.ResolveUnique | wire.ResolveUsers})
	if err != nil {
		return "", err
	}
	if c.events.isFull() { // see await
		c.giveUpWaiting()
	}
	ctx, cancel := context.WithTimeout(ctx, answerPatience)
	defer cancel()
	select {
	case o := <-answer:
		return o.id, o.err
	case <-c.done:
		return "", c.live()
	case <-ctx.Done():
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.lookup.waiting, request)
		return "", errNoAnswer
	}
}

func (*Conversation) resolveOpen(*channel, *wire.ChannelAccept) error { return nil }

func (c *Conversation) resolved(_ *channel, m wire.ServiceMessage) error {
	a, is := m.(*wire.ResolveAnswer)
	if !is {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	o := outcome{err: sendError("no such recipient")}
	if len(a.Results) == 1 {
		r := a.Results[0]
		switch {
		case len(r.Matches) == 1 && r.Matches[0].Type != wire.MatchGroup:
			o = outcome{id: r.Matches[0].ID}
			c.lookup.remember(r.Name, o.id)
		case len(r.Matches) > 1 || r.Code == notUnique:
			o.err = sendError("the recipient's name stands for several people; give the user id")
		}
	}
	c.lookup.answer(a.Request, o)
	return nil
}

// notUnique tells that a name stands for several where one was asked for.
const notUnique wire.Reason = 0x80020000

// resolveLost lets go of who waits.
func (c *Conversation) resolveLost(_ *channel, why wire.Reason) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lookup.giveUp(notTaken(why))
	return nil
}
