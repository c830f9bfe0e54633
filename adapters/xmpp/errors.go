package xmpp

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"

	"rollcall/domain"
	"rollcall/domain/broker"
)

// conditionCodes tell what a server's error condition means to the broker: those
// of SASL (RFC 6120 section 6.5), of streams (4.9.3) and of stanzas (8.3.3). What
// is not here is upstream-refused.
var conditionCodes = map[string]domain.RejectCode{
	"not-authorized":           domain.RejectBadCredentials,
	"credentials-expired":      domain.RejectBadCredentials,
	"account-disabled":         domain.RejectBadCredentials,
	"invalid-authzid":          domain.RejectBadCredentials,
	"resource-constraint":      domain.RejectUpstreamFull,
	"policy-violation":         domain.RejectUpstreamFull,
	"connection-timeout":       domain.RejectUpstreamTimeout,
	"remote-server-timeout":    domain.RejectUpstreamTimeout,
	"system-shutdown":          domain.RejectUpstreamUnreachable,
	"reset":                    domain.RejectUpstreamUnreachable,
	"remote-connection-failed": domain.RejectUpstreamUnreachable,
}

// conditionTexts say what a condition means where its name does not.
var conditionTexts = map[string]string{
	"conflict":        "another client has taken this session's place",
	"system-shutdown": "the server is shutting down",
	"host-unknown":    "the server does not serve this domain",
	"host-gone":       "the server no longer serves this domain",
}

// refusal is what a server's error element comes to.
func refusal(stage, condition, text string) *broker.UpstreamError {
	code, known := conditionCodes[condition]
	if !known {
		code = domain.RejectUpstreamRefused
	}
	parts := []string{cmp.Or(condition, "an error without a condition")}
	for _, more := range []string{conditionTexts[condition], shorten(text)} {
		if more != "" {
			parts = append(parts, more)
		}
	}
	return &broker.UpstreamError{Code: code, Text: stage + ": " + strings.Join(parts, ": ")}
}

// streamError is what a stream error comes to, RFC 6120 section 4.9.
func streamError(e *element) *broker.UpstreamError {
	return refusal("the server ended the stream", e.condition(nsStreams), e.childText(nsStreams, "text"))
}

// stanzaError is what an error stanza comes to, RFC 6120 section 8.3.
func stanzaError(stage string, stanza *element) *broker.UpstreamError {
	e := stanza.child(nsClient, "error")
	return refusal(stage, e.condition(nsStanzas), e.childText(nsStanzas, "text"))
}

// failure types whatever went wrong on the way: a timeout, a broken connection, or
// a server that does not speak the protocol.
func failure(ctx context.Context, stage string, err error) *broker.UpstreamError {
	var typed *broker.UpstreamError
	var badXML *xmlError
	var plain tls.RecordHeaderError
	var netErr net.Error
	switch {
	case errors.As(err, &typed):
		return typed
	case ctx.Err() != nil:
		return &broker.UpstreamError{Code: domain.RejectUpstreamTimeout, Text: "gave up while waiting for the server: " + stage, Err: context.Cause(ctx)}
	case errors.As(err, &badXML), errors.Is(err, errTooBig), errors.As(err, &plain):
		return &broker.UpstreamError{Code: domain.RejectUpstreamRefused, Text: stage + ": " + err.Error(), Err: err}
	case errors.Is(err, os.ErrDeadlineExceeded), errors.As(err, &netErr) && netErr.Timeout():
		return &broker.UpstreamError{Code: domain.RejectUpstreamTimeout, Text: stage + ": the server did not answer in time", Err: err}
	case errors.Is(err, io.EOF), errors.Is(err, errStreamEnd):
		return &broker.UpstreamError{Code: domain.RejectUpstreamUnreachable, Text: stage + ": the server closed the connection", Err: err}
	}
	return &broker.UpstreamError{Code: domain.RejectUpstreamUnreachable, Text: fmt.Sprintf("%s: %v", stage, err), Err: err}
}

// maxText is the most bytes of a server's own words that go into an error.
const maxText = 256

// shorten makes a server's words fit for one line of a log.
func shorten(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > maxText {
		text = strings.ToValidUTF8(text[:maxText], "") + "…"
	}
	return text
}
