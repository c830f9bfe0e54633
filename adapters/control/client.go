package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net"
	"net/http"
	"path/filepath"
	"time"

	"rollcall/domain"
)

// Client asks a running appliance over its control socket. Each request has a
// connection of its own, and nothing is held in between.
type Client struct {
	http  http.Client
	kinds errorKinds
}

var _ Operator = (*Client)(nil)

// Dial gives a client of the appliance that serves the data folder dir:
// [ErrNotRunning] where none does, an [io/fs.ErrPermission] where the caller may
// not ask it. kinds are as with [Listen].
func Dial(ctx context.Context, dir string, kinds ...ErrorKind) (*Client, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("reach the appliance: %w", err)
	}
	conn, err := connect(ctx, dir)
	if err == nil {
		err = conn.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("reach the appliance: %w", err)
	}
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) { return connect(ctx, dir) }
	transport := &http.Transport{DialContext: dial, DisableKeepAlives: true, DisableCompression: true}
	return &Client{http: http.Client{Transport: transport}, kinds: kindsAnd(kinds)}, nil
}

// SetService implements [Operator].
func (c *Client) SetService(ctx context.Context, change ServiceChange) (Service, error) {
	return ask[Service](ctx, c, pathSetService, change)
}

// Services implements [Operator].
func (c *Client) Services(ctx context.Context) ([]Service, error) {
	return ask[[]Service](ctx, c, pathServices, none{})
}

// RemoveService implements [Operator].
func (c *Client) RemoveService(ctx context.Context, name domain.ServiceName) error {
	return c.order(ctx, pathRemoveService, namedQuery{name})
}

// EnrolDevice implements [Operator].
func (c *Client) EnrolDevice(ctx context.Context, e Enrolment) (Enrolled, error) {
	return ask[Enrolled](ctx, c, pathEnrolDevice, e)
}

// Devices implements [Operator].
func (c *Client) Devices(ctx context.Context) ([]Device, error) {
	return ask[[]Device](ctx, c, pathDevices, none{})
}

// RevokeDevice implements [Operator].
func (c *Client) RevokeDevice(ctx context.Context, id domain.DeviceID) error {
	return c.order(ctx, pathRevokeDevice, deviceQuery{id})
}

// BarPerson implements [Operator].
func (c *Client) BarPerson(ctx context.Context, person string) error {
	return c.order(ctx, pathBarPerson, personQuery{person})
}

// ErasePerson implements [Operator].
func (c *Client) ErasePerson(ctx context.Context, person string) (Erased, error) {
	return ask[Erased](ctx, c, pathErasePerson, personQuery{person})
}

// Sessions implements [Operator].
func (c *Client) Sessions(ctx context.Context) ([]Session, error) {
	return ask[[]Session](ctx, c, pathSessions, none{})
}

// SessionsAt implements [Operator].
func (c *Client) SessionsAt(ctx context.Context, at time.Time) ([]Session, error) {
	return ask[[]Session](ctx, c, pathSessionsAt, atQuery{at})
}

// EndSession implements [Operator].
func (c *Client) EndSession(ctx context.Context, id domain.SessionID) error {
	return c.order(ctx, pathEndSession, sessionQuery{id})
}

// Count implements [Operator].
func (c *Client) Count(ctx context.Context) ([]Count, error) {
	return ask[[]Count](ctx, c, pathCount, none{})
}

// Audit implements [Operator].
func (c *Client) Audit(ctx context.Context, f AuditFilter) iter.Seq2[AuditRow, error] {
	rows := each[AuditRow](ctx, c, pathAudit, f)
	if !f.Follow {
		return rows
	}
	return func(yield func(AuditRow, error) bool) {
		for row, err := range rows {
			if err != nil && ctx.Err() != nil {
				return // that is how following ends
			}
			if !yield(row, err) {
				return
			}
		}
	}
}

// Why implements [Operator].
func (c *Client) Why(ctx context.Context, q WhyQuery) (Why, error) {
	return ask[Why](ctx, c, pathWhy, q)
}

// Rebuild implements [Operator].
func (c *Client) Rebuild(ctx context.Context, r Rebuild) iter.Seq2[RebuildProgress, error] {
	return each[RebuildProgress](ctx, c, pathRebuild, r)
}

// Backup implements [Operator].
func (c *Client) Backup(ctx context.Context, path string) (BackupDone, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return BackupDone{}, fmt.Errorf("back up: %w", err)
	}
	return ask[BackupDone](ctx, c, pathBackup, pathQuery{path})
}

// Status implements [Operator].
func (c *Client) Status(ctx context.Context) (Status, error) {
	return ask[Status](ctx, c, pathStatus, none{})
}

func (c *Client) order(ctx context.Context, path string, query any) error {
	_, err := ask[none](ctx, c, path, query)
	return err
}

// ask asks for one answer.
func ask[A any](ctx context.Context, c *Client, path string, query any) (answer A, err error) {
	for a, err := range each[A](ctx, c, path, query) {
		if err != nil {
			var zero A
			return zero, err
		}
		answer = a
	}
	return answer, nil
}

// each asks for any number of answers.
func each[A any](ctx context.Context, c *Client, path string, query any) iter.Seq2[A, error] {
	return func(yield func(A, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		var zero A
		body, err := c.post(ctx, path, query)
		if err != nil {
			yield(zero, err)
			return
		}
		defer body.Close()
		lines := json.NewDecoder(body)
		for {
			var answer A
			more, err := c.next(ctx, lines, &answer)
			if err != nil {
				yield(zero, err)
				return
			}
			if !more || !yield(answer, nil) {
				return
			}
		}
	}
}

// next takes one line; more is false for the last.
func (c *Client) next(ctx context.Context, lines *json.Decoder, answer any) (more bool, err error) {
	var l line
	if err := lines.Decode(&l); err != nil {
		return false, lost(ctx, err)
	}
	switch {
	case l.Error != nil:
		return false, c.kinds.unpack(l.Error)
	case l.End:
		return false, nil
	}
	if err := json.Unmarshal(l.Answer, answer); err != nil {
		return false, fmt.Errorf("%w (%v)", ErrOtherVersion, err)
	}
	return true, nil
}

// post sends a request and gives the body of its answer.
func (c *Client) post(ctx context.Context, path string, query any) (io.ReadCloser, error) {
	data, err := json.Marshal(query)
	if err != nil {
		return nil, fmt.Errorf("ask the appliance: %w", err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://appliance"+path, bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("ask the appliance: %w", err)
	}
	answer, err := c.http.Do(r)
	if err != nil {
		return nil, lost(ctx, err)
	}
	if answer.StatusCode != http.StatusOK {
		return nil, errors.Join(fmt.Errorf("%w (HTTP status %s)", ErrOtherVersion, answer.Status), answer.Body.Close())
	}
	return answer.Body, nil
}

// lost tells what it means that a connection failed with err.
func lost(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, ErrNotRunning):
		return ErrNotRunning
	}
	return fmt.Errorf("%w (%v)", ErrConnectionLost, err)
}
