package broker

import (
	"encoding/base64"
	"encoding/hex"
	"html"
	"net/url"
	"strconv"
	"strings"
)

// echoed stands for what an upstream server said with the password in it.
const echoed = "the server refused; what it said is not kept"

// withoutPassword gives the error as it may be kept, logged and answered: there are
// servers that repeat what they were sent.
func (l UpstreamLogin) withoutPassword(e *UpstreamError) *UpstreamError {
	said := e.Text
	if e.Err != nil {
		said += "\n" + e.Err.Error()
	}
	if !l.isIn(said) {
		return e
	}
	return &UpstreamError{Code: e.Code, Text: echoed}
}

// isIn tells that a text holds the password, as it is or in one of the encodings
// that it may have been sent, or come back, in.
func (l UpstreamLogin) isIn(text string) bool {
	if l.Password == "" {
		return false
	}
	password, text := []byte(l.Password), strings.ToLower(text)
	quoted := strconv.Quote(l.Password)
	for _, form := range []string{
		l.Password,
		quoted[1 : len(quoted)-1],
		html.EscapeString(l.Password),
		url.QueryEscape(l.Password),
		url.PathEscape(l.Password),
		hex.EncodeToString(password),
		base64.RawStdEncoding.EncodeToString(password),
		base64.RawURLEncoding.EncodeToString(password),
		base64.RawStdEncoding.EncodeToString([]byte("\x00" + l.Account + "\x00" + l.Password)), // RFC 4616
	} {
		if strings.Contains(text, strings.ToLower(form)) {
			return true
		}
	}
	return false
}
