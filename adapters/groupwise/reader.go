package groupwise

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"rollcall/adapters/groupwise/wire"
	"rollcall/domain"
	"rollcall/domain/broker"
)

// run is the reader's goroutine: it works off what the server says until the
// connection ends.
func (v *Conversation) run() {
	err := v.readAll()
	v.conn.Close()
	v.finish(v.reason(err))
}

func (v *Conversation) readAll() error {
	in := wire.NewClientReader(v.conn)
	for {
		v.queue.awaitRoom()
		if err := in.Wait(); err != nil {
			return err
		}
		_ = v.conn.SetReadDeadline(time.Now().Add(readPatience)) // the read tells
		response, event, err := in.Next()
		if err != nil {
			return err
		}
		_ = v.conn.SetReadDeadline(time.Time{})
		if response != nil {
			err = v.answered(response)
		} else {
			err = v.happened(event)
		}
		if err != nil {
			return err
		}
	}
}

// answered gives a response to whoever asked. One that nobody waits for any more
// is left.
func (v *Conversation) answered(r *wire.Response) error {
	transaction, ok := r.Transaction()
	v.mu.Lock()
	f := v.calls[transaction]
	delete(v.calls, transaction)
	v.heardAt = time.Now()
	v.mu.Unlock()
	switch {
	case f != nil:
		f(r, nil)
	case !ok && r.Status != 200:
		return &StatusError{Status: r.Status, To: r.Redirected()}
	case !ok:
		return &wire.FormatError{What: "response", Problem: "no transaction that can be read"}
	}
	return nil
}

// reason gives the reason behind a read that failed: ours where we closed the
// connection, the server's last words where it had some.
func (v *Conversation) reason(err error) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	switch {
	case v.broken != nil:
		return v.broken
	case v.gone != "" && (errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)):
		return &broker.UpstreamError{Code: domain.RejectUpstreamUnreachable, Text: v.gone, Err: err}
	}
	return failure(context.Background(), "the connection to the server broke", err)
}

// finish ends the conversation: it stops the timer, tells those who wait for an
// answer that none will come, and the sink that this is the end.
func (v *Conversation) finish(err error) {
	v.mu.Lock()
	v.cause, v.ended = err, true
	if v.alive != nil {
		v.alive.Stop()
	}
	calls := v.calls
	v.calls = nil
	v.mu.Unlock()
	v.queue.finish(broker.Closed{Err: err})
	close(v.done)
	for _, f := range calls {
		f(nil, fmt.Errorf("%w: %w", errOver, err))
	}
}
