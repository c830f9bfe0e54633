package sametime

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"unicode/utf8"

	"rollcall/adapters/sametime/seal"
	"rollcall/adapters/sametime/wire"
	"rollcall/domain"
	"rollcall/domain/broker"
)

// ReasonError is a server's reason. It stands behind the [broker.UpstreamError] of
// a refused login and of a conversation that the server ended.
type ReasonError struct{ Reason wire.Reason }

func (e *ReasonError) Error() string {
	if m, known := meanings[e.Reason]; known {
		return fmt.Sprintf("%s (%v)", m.text, e.Reason)
	}
	return fmt.Sprintf("the server's reason is %v", e.Reason)
}

// refusal is what a server's reason comes to. stage says what it ended.
func refusal(stage string, r wire.Reason) *broker.UpstreamError {
	code := domain.RejectUpstreamRefused
	if m, known := meanings[r]; known {
		code = m.code
	}
	err := &ReasonError{r}
	return &broker.UpstreamError{Code: code, Text: stage + ": " + err.Error(), Err: err}
}

// failure types whatever went wrong on the way: a timeout, a broken connection, or
// a server that does not speak the protocol.
func failure(ctx context.Context, stage string, err error) *broker.UpstreamError {
	var typed *broker.UpstreamError
	var frame *wire.FrameError
	var decode *wire.DecodeError
	var netErr net.Error
	switch {
	case errors.As(err, &typed):
		return typed
	case ctx.Err() != nil:
		return &broker.UpstreamError{Code: domain.RejectUpstreamTimeout, Text: "gave up while waiting for the server: " + stage, Err: context.Cause(ctx)}
	case errors.As(err, &frame), errors.As(err, &decode), errors.Is(err, seal.ErrPublic), errors.Is(err, errStray):
		return &broker.UpstreamError{Code: domain.RejectUpstreamRefused, Text: stage + ": " + err.Error(), Err: err}
	case errors.Is(err, os.ErrDeadlineExceeded), errors.As(err, &netErr) && netErr.Timeout():
		return &broker.UpstreamError{Code: domain.RejectUpstreamTimeout, Text: stage + ": the server did not answer in time", Err: err}
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return &broker.UpstreamError{Code: domain.RejectUpstreamUnreachable, Text: stage + ": the server closed the connection without a reason", Err: err}
	}
	return &broker.UpstreamError{Code: domain.RejectUpstreamUnreachable, Text: fmt.Sprintf("%s: %v", stage, err), Err: err}
}

// sendError tells the writer of a message why it did not go.
func sendError(format string, args ...any) error {
	return &broker.SendError{Text: fmt.Sprintf(format, args...)}
}

// notTaken is what a reason on a channel for messages means to the writer.
func notTaken(r wire.Reason) error {
	if m, known := meanings[r]; known {
		return sendError("%s", m.text)
	}
	return sendError("the server refuses it: %v", r)
}

// maxText is the most bytes of somebody's words about themselves, or of a server's.
const maxText = 1024

// shorten makes words fit for one line.
func shorten(text string) string {
	text = strings.Join(strings.Fields(readable(text)), " ")
	if len(text) <= maxText {
		return text
	}
	cut := maxText
	for !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + "…"
}
