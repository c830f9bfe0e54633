package broker_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"html"
	"log/slog"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"

	"rollcall/domain"
	"rollcall/domain/broker"
)

const oddPassword = `sw&rd "fish" <é>/1`

// TestPasswordThatTheServerEchoesIsNotPassedOn has servers refuse logins, and
// logins after a restart, with the password in what they say.
func TestPasswordThatTheServerEchoesIsNotPassedOn(t *testing.T) {
	forms := map[string]string{
		"plain":    oddPassword,
		"capitals": strings.ToUpper(oddPassword),
		"quoted":   fmt.Sprintf("%q", oddPassword),
		"HTML":     html.EscapeString(oddPassword),
		"URL":      url.QueryEscape(oddPassword),
		"path":     url.PathEscape(oddPassword),
		"base64":   base64.StdEncoding.EncodeToString([]byte(oddPassword)),
		"SASL":     base64.StdEncoding.EncodeToString([]byte("\x00alice\x00" + oddPassword)),
		"hex":      fmt.Sprintf("%x", oddPassword),
	}
	for name, form := range forms {
		said := "no user alice with " + form + ", sorry"
		for code, err := range map[domain.RejectCode]error{
			domain.RejectBadCredentials:      &broker.UpstreamError{Code: domain.RejectBadCredentials, Text: said, Err: errors.New(said)},
			domain.RejectUpstreamUnreachable: &broker.UpstreamError{Code: domain.RejectUpstreamUnreachable, Err: errors.New(said)},
			domain.RejectUpstreamRefused:     errors.New(said),
		} {
			t.Run(fmt.Sprint(name, " ", code), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { echo(t, form, code, err) })
			})
		}
	}
}

func echo(t *testing.T, form string, code domain.RejectCode, err error) {
	var logged bytes.Buffer
	logger := func(c *broker.Config) {
		c.Logger = slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	h, inbox := newHouseWith(t, logger)
	alice := h.device("alice")
	login := broker.Login{Device: alice, Service: "im", Account: "alice", Password: oddPassword}
	link := &line{}
	if s, err := h.Login(t.Context(), login, link); s == nil {
		t.Fatalf("Login = %v, %v", s, err)
	}
	accepted := first[broker.Accepted](t, link)
	h = h.again(inbox, logger)
	h.up.set(err, nil)
	_, link = h.resume(alice, accepted, 0)
	refused := first[broker.ResumeRefused](t, link)
	if _, err := h.Login(t.Context(), login, link); err != nil {
		t.Fatal(err)
	}
	rejected := first[broker.Rejected](t, link)
	if rejected.Code != code || rejected.Text == "" || refused.Text == "" {
		t.Errorf("the device got %+v and %+v, want the code %v and a reason", refused, rejected, code)
	}
	if strings.Contains(rejected.Text+refused.Text, "password") {
		t.Errorf("the device got %q and %q, which tells that the password was near", rejected.Text, refused.Text)
	}
	said := fmt.Sprintf("%+v %+v\n%s", refused, rejected, logged.String())
	for key, value := range h.log.sides {
		said += fmt.Sprintf("\n%v %s", key, value)
	}
	for _, secret := range []string{form, oddPassword} {
		if strings.Contains(strings.ToLower(said), strings.ToLower(secret)) {
			t.Errorf("%q is passed on:\n%s", secret, said)
		}
	}
}
