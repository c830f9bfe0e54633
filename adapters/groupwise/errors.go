package groupwise

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"

	"rollcall/adapters/groupwise/wire"
	"rollcall/domain"
	"rollcall/domain/broker"
)

// ResultError is a request that the server answered with a result other than
// success.
type ResultError struct {
	Command string
	Code    wire.Code
}

func (e *ResultError) Error() string {
	return fmt.Sprintf("%s: %s (%s)", e.Command, e.Code.Meaning(), e.Code)
}

// resultOf gives the result that an error is about; wire.OK if it is about none.
func resultOf(err error) wire.Code {
	var result *ResultError
	if errors.As(err, &result) {
		return result.Code
	}
	return wire.OK
}

// StatusError is a response whose status is not 200: the server itself is at
// fault, or points elsewhere.
type StatusError struct {
	Status int
	To     string // where a redirect leads; may be empty
}

func (e *StatusError) Error() string {
	switch {
	case e.Status != 301:
		return fmt.Sprintf("the server answered with status %d; its log says more", e.Status)
	case e.To == "":
		return "the server redirects and does not say where; ask its administrator for the address"
	}
	return fmt.Sprintf("the server redirects to %s; set the service's address to that", e.To)
}

// loginCodes tell what the result of a login means to the broker. What is not
// here is upstream-refused.
var loginCodes = map[wire.Code]domain.RejectCode{
	wire.PasswordInvalid:      domain.RejectBadCredentials,
	wire.CredentialsMissing:   domain.RejectBadCredentials,
	wire.AuthenticationFailed: domain.RejectBadCredentials,
	wire.UserNotFound:         domain.RejectBadCredentials,
	wire.ObjectNotFound:       domain.RejectBadCredentials,
	wire.HostNotFound:         domain.RejectBadCredentials,
	wire.AccessDenied:         domain.RejectBadCredentials,
	wire.PasswordExpired:      domain.RejectBadCredentials,
	wire.PasswordExpired2:     domain.RejectBadCredentials,
	wire.UserDisabled:         domain.RejectBadCredentials,
	wire.ServerBusy:           domain.RejectUpstreamFull,
	wire.EvaluationLimit:      domain.RejectUpstreamFull,
}

// failure types whatever went wrong: a result, a timeout, a broken connection, or
// a server that does not speak the protocol.
func failure(ctx context.Context, stage string, err error) *broker.UpstreamError {
	var typed *broker.UpstreamError
	var result *ResultError
	var status *StatusError
	var format *wire.FormatError
	var plain tls.RecordHeaderError
	var netErr net.Error
	failed := func(code domain.RejectCode, text string) *broker.UpstreamError {
		return &broker.UpstreamError{Code: code, Text: stage + ": " + text, Err: err}
	}
	switch {
	case errors.As(err, &typed):
		return typed
	case ctx.Err() != nil:
		return &broker.UpstreamError{Code: domain.RejectUpstreamTimeout, Text: "gave up while waiting for the server: " + stage, Err: context.Cause(ctx)}
	case errors.As(err, &result):
		code, known := loginCodes[result.Code]
		if !known {
			code = domain.RejectUpstreamRefused
		}
		return failed(code, fmt.Sprintf("%s (%s)", result.Code.Meaning(), result.Code))
	case errors.As(err, &status):
		return failed(domain.RejectUpstreamRefused, err.Error())
	case errors.As(err, &format):
		return failed(domain.RejectUpstreamRefused, "what the server says is not taken: "+err.Error())
	case errors.As(err, &plain):
		return failed(domain.RejectUpstreamRefused, "the server does not speak TLS there: "+err.Error())
	case errors.Is(err, os.ErrDeadlineExceeded), errors.As(err, &netErr) && netErr.Timeout():
		return failed(domain.RejectUpstreamTimeout, "the server did not answer in time")
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return failed(domain.RejectUpstreamUnreachable, "the server closed the connection")
	}
	return failed(domain.RejectUpstreamUnreachable, err.Error())
}

// refused gives the error for a message that could not be sent.
func refused(format string, args ...any) error {
	return &broker.SendError{Text: fmt.Sprintf(format, args...)}
}
