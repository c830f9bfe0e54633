package groupwise

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"rollcall/adapters/groupwise/wire"
)

// answer is called once: with a response, which may tell of a failure, or with
// the reason why none will come. It is called by the reader, and must not block.
type answer func(*wire.Response, error)

// request sends a request. Its answer is given to f unless there is an error.
func (v *Conversation) request(ctx context.Context, command string, fields wire.Fields, f answer) error {
	v.writing.Lock()
	defer v.writing.Unlock()
	v.transactions++
	transaction := v.transactions
	r := &wire.Request{Command: command, Fields: append(fields, wire.TextField(wire.TagTransaction, strconv.FormatUint(uint64(transaction), 10)))}
	if command == wire.CommandLogin {
		r.Host = v.o.address
	}
	if err := v.expect(transaction, f); err != nil {
		return err
	}
	if err := v.write(ctx, r.Append(nil)); err != nil {
		v.forget(transaction)
		return err
	}
	return nil
}

// expect notes who is to be given an answer.
func (v *Conversation) expect(transaction uint32, f answer) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.ended {
		return errOver
	}
	v.calls[transaction] = f
	return nil
}

func (v *Conversation) forget(transaction uint32) {
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.calls, transaction)
}

// write sends bytes in one piece. A write that fails breaks the connection: half
// a request cannot be taken back.
func (v *Conversation) write(ctx context.Context, b []byte) error {
	deadline, bounded := ctx.Deadline()
	if limit := time.Now().Add(writePatience); !bounded || limit.Before(deadline) {
		deadline = limit
	}
	_ = v.conn.SetWriteDeadline(deadline) // the write tells if the connection is gone
	if _, err := v.conn.Write(b); err != nil {
		failed := failure(context.Background(), "write to the server", err)
		v.breakOff(failed)
		return failed
	}
	return nil
}

// ask sends a request and waits for its answer. A result other than success is a
// *[ResultError], a status other than 200 a *[StatusError].
func (v *Conversation) ask(ctx context.Context, command string, fields wire.Fields) (wire.Fields, error) {
	if err := v.over(); err != nil {
		return nil, err
	}
	v.queue.hurry(+1) // the answer must not wait for the sink, which may wait for us
	defer v.queue.hurry(-1)
	type outcome struct {
		fields wire.Fields
		err    error
	}
	known := make(chan outcome, 1)
	err := v.request(ctx, command, fields, func(r *wire.Response, err error) {
		if err == nil {
			err = resultError(command, r)
		}
		if err != nil {
			known <- outcome{err: err}
			return
		}
		known <- outcome{fields: r.Fields}
	})
	if err != nil {
		return nil, err
	}
	select {
	case o := <-known:
		return o.fields, o.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// resultError gives what is wrong with a response; nil if it tells of success.
func resultError(command string, r *wire.Response) error {
	if r.Status != 200 {
		return &StatusError{Status: r.Status, To: r.Redirected()}
	}
	code, ok := r.Result()
	switch {
	case !ok:
		return &wire.FormatError{What: "response", Problem: fmt.Sprintf("no result of %s that can be read", command)}
	case code != wire.OK:
		return &ResultError{command, code}
	}
	return nil
}
