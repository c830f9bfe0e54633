package xmpp

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"rollcall/domain"
	"rollcall/domain/broker"
)

// resumable tells whether a stream that ended with err can be taken up again: the
// connection broke, and neither side wanted it to end.
func (c *Conversation) resumable(err error) bool {
	var why *broker.UpstreamError
	c.writing.Lock()
	keep := c.out.keep
	c.writing.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	if !keep || c.over || errors.Is(err, errStreamEnd) || !errors.As(err, &why) {
		return false
	}
	return why.Err != nil && why.Code == domain.RejectUpstreamUnreachable || why.Code == domain.RejectUpstreamTimeout
}

// resume connects anew and takes the stream up, XEP-0198 section 5, trying again
// for a while. It gives cause where the server cannot be reached, and the
// server's word where it refuses.
func (c *Conversation) resume(cause error) error {
	ctx, cancel := context.WithTimeout(context.Background(), resumePatience)
	defer cancel()
	up := c.goDown(cancel)
	c.conn.Close()
	for wait := time.Second; ; wait *= 2 {
		n, err := c.c.open(ctx, c.o, c.who, c.creds)
		if err == nil {
			err = c.takeUp(ctx, n)
		}
		if err == nil {
			close(up)
			return nil
		}
		if !retryable(err) {
			return err
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return cause
		}
	}
}

// goDown notes that the stream is down; a logout then ends the attempts.
func (c *Conversation) goDown(cancel func()) (up chan struct{}) {
	up = make(chan struct{})
	c.mu.Lock()
	defer c.mu.Unlock()
	c.alive.Stop()
	c.down, c.broken, c.stop = up, nil, cancel
	return up
}

func retryable(err error) bool {
	var why *broker.UpstreamError
	return errors.As(err, &why) && (why.Code == domain.RejectUpstreamUnreachable || why.Code == domain.RejectUpstreamTimeout)
}

// takeUp resumes on a new connection and sends what the server did not get.
func (c *Conversation) takeUp(ctx context.Context, n *negotiation) error {
	release := n.guard()
	defer release()
	c.mu.Lock()
	from := c.sm.safe() // acknowledgements may come in while the server answers
	request := fmt.Sprintf("<resume xmlns='%s' previd='%s' h='%d'/>", nsSM, escape(c.sm.id), from)
	c.mu.Unlock()
	err := n.write(request)
	var answer *element
	if err == nil {
		answer, err = n.read("resume the stream")
	}
	if err == nil && !answer.is(nsSM, "resumed") {
		err = n.refuse("the connection broke, and the server does not take the stream up again: %s", answer.condition(nsStanzas))
	}
	if err != nil {
		n.conn.Close()
		return err
	}
	release()
	_ = n.conn.SetDeadline(time.Time{})
	h, _ := strconv.ParseUint(answer.attr("h"), 10, 32) // nothing acknowledged where it is wrong
	return c.goUp(ctx, n, from, uint32(h))
}

// goUp goes on over a new connection, on which the server sends what follows the
// stanza from, and has h stanzas of ours.
func (c *Conversation) goUp(ctx context.Context, n *negotiation, from, h uint32) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	c.take(n)
	c.out.acked(h)
	c.mu.Lock()
	c.sm.goBack(from)
	c.down, c.broken = nil, nil
	over := c.over
	c.mu.Unlock()
	if over {
		n.conn.Close()
		return errLoggedOut
	}
	return c.writeLocked(ctx, strings.Join(c.out.kept, "")+askAck)
}
