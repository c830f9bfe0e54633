package main

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"rollcall/adapters/device"
	"rollcall/domain"
	"rollcall/domain/broker"
)

// clientOutput prints what happens in a session, as sentences or as JSON lines.
type clientOutput struct {
	app     *app
	session *device.Session
	how     string // "accepted" or "resumed"
	before  int    // how many messages were unanswered at the beginning

	mu    sync.Mutex
	lost  bool
	begun bool

	contacts clientContacts
}

// clientEvent is a line of JSON output. Which fields are set depends on Event.
type clientEvent struct {
	Event string `json:"event"`

	Session domain.SessionID `json:"session,omitempty"`
	Service string           `json:"service,omitempty"`
	Account string           `json:"account,omitempty"`

	Covered *bool `json:"covered,omitempty"`

	Number   uint64          `json:"number,omitempty"`
	ID       string          `json:"id,omitempty"`
	From     string          `json:"from,omitempty"`
	Body     string          `json:"body,omitempty"`
	Sent     *time.Time      `json:"sent,omitempty"`
	Contact  string          `json:"contact,omitempty"`
	Name     string          `json:"name,omitempty"`
	Show     string          `json:"show,omitempty"`
	Contacts []clientContact `json:"contacts,omitzero"`
	Removed  bool            `json:"removed,omitempty"`
	Typing   *bool           `json:"typing,omitempty"`
	Count    uint64          `json:"count,omitempty"`
	Code     string          `json:"code,omitempty"`
	Shown    string          `json:"shown,omitempty"`
	Retry    string          `json:"retry_after,omitempty"`
	Cause    string          `json:"cause,omitempty"`
	Text     string          `json:"text,omitempty"`
	Error    string          `json:"error,omitempty"`
}

type clientContact struct {
	Address string   `json:"address"`
	Name    string   `json:"name,omitempty"`
	Groups  []string `json:"groups,omitempty"`
}

// say prints one event. The sentence may be empty: then only JSON has it.
func (o *clientOutput) say(e clientEvent, sentence string, args ...any) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.app.output.json {
		return writeJSON(o.app.out, e)
	}
	if sentence == "" {
		return nil
	}
	_, err := fmt.Fprintln(o.app.out, printable(fmt.Sprintf(sentence, args...)))
	return err
}

// began tells that the session is there. What cannot be printed shows with the
// first item.
func (o *clientOutput) began() {
	o.begun = true
	s := o.session
	_ = o.say(clientEvent{Event: o.how, Session: s.ID(), Service: s.Service(), Account: s.Account()},
		"%s is logged in to %s (session %d, %s)", s.Account(), s.Service(), s.ID(), o.how)
	if o.before > 0 {
		_ = o.say(unanswered(s, o.before), "-- %s from before; sent again", notAnswered(o.before))
	}
}

// unanswered tells, at the end, what will become of messages that were not answered.
func (o *clientOutput) unanswered(err error) {
	n := o.session.Unanswered()
	if n == 0 {
		return
	}
	next := "the next login of " + o.session.Account()
	if err != nil && !errors.As(err, new(*device.EndedError)) {
		next = "'rollcall client resume', or the next login"
	}
	_ = o.say(unanswered(o.session, n), "-- %s; sent again with %s", notAnswered(n), next)
}

func unanswered(s *device.Session, n int) clientEvent {
	return clientEvent{Event: "unanswered", Session: s.ID(), Service: s.Service(), Account: s.Account(), Count: uint64(n)}
}

func notAnswered(n int) string {
	if n == 1 {
		return "1 message was not answered"
	}
	return fmt.Sprintf("%d messages were not answered", n)
}

// tellLeft tells what waits for logins of other accounts.
func (a *app) tellLeft(i *device.Identity) {
	o := &clientOutput{app: a}
	for _, l := range i.Left() {
		_ = o.say(clientEvent{Event: "unanswered", Service: l.Service, Account: l.Account, Count: uint64(l.Unanswered)},
			"-- %s; sent again with the next login of %s to %s", notAnswered(l.Unanswered), l.Account, l.Service)
	}
}

func (o *clientOutput) coverage(covered bool, err error) {
	switch {
	case covered && !o.begun:
		o.began()
	case covered && o.lost:
		_ = o.say(clientEvent{Event: "coverage", Covered: &covered}, "-- in coverage again")
	case !covered && !o.lost:
		o.lostCoverage(err)
	}
	o.lost = !covered
}

var errLinkLost = errors.New("the link ended")

// lostCoverage tells that the link is lost: for lack of coverage, or because the
// server asks the device to come back later.
func (o *clientOutput) lostCoverage(err error) {
	if errors.Is(err, io.EOF) {
		err = errLinkLost
	}
	e := clientEvent{Event: "coverage", Covered: new(bool), Error: err.Error()}
	var back *device.ComeBackError
	if !errors.As(err, &back) {
		_ = o.say(e, "-- out of coverage: %v", err)
		return
	}
	e.Retry = back.After.String()
	_ = o.say(e, "-- %v", back)
}

func (o *clientOutput) sent(m broker.Sent) {
	e := clientEvent{Event: "sent", ID: m.ID, Error: m.Error}
	if m.Error == "" {
		_ = o.say(e, "")
		return
	}
	_ = o.say(e, "-- not sent: %s", m.Error)
}

// mistake tells that a line of input came to nothing, and which message it was, if
// that had an id.
func (o *clientOutput) mistake(id string, err error) {
	_ = o.say(clientEvent{Event: "error", ID: id, Error: err.Error()}, "-- %v", err)
}

// item prints an item. Once it is printed it counts as safe.
func (o *clientOutput) item(i broker.Item) error {
	switch b := i.Body.(type) {
	case broker.MessageReceived:
		e := clientEvent{Event: "message", Number: i.Number, ID: b.ID, From: b.From, Body: b.Body}
		if !b.Sent.IsZero() {
			e.Sent = &b.Sent
		}
		return o.say(e, "%s: %s", b.From, b.Body)
	case device.Unreadable:
		return o.say(clientEvent{Event: "unreadable", Number: i.Number, Error: b.Err.Error()}, "-- a message could not be read: %v", b.Err)
	case broker.Dropped:
		return o.say(clientEvent{Event: "dropped", Number: i.Number, Count: b.Count}, "-- %d messages could not be kept while you were out of coverage", b.Count)
	}
	return fmt.Errorf("item %d is of a kind that this version does not know; use a newer one", i.Number)
}

// over tells how the session ended, and gives the exit code.
func (o *clientOutput) over(err error) error {
	o.contacts.stop()
	var ended *device.EndedError
	switch {
	case err == nil:
		return o.say(clientEvent{Event: "logged-out", Session: o.session.ID()}, "logged out")
	case errors.As(err, &ended):
		cause := endCause(ended)
		if say := o.say(clientEvent{Event: "ended", Session: o.session.ID(), Cause: cause, Text: ended.Text}, ""); say != nil {
			return say
		}
	}
	return clientError(err)
}

// endCause gives the word for why a session is over. A server that knows nothing
// of it has no cause to name.
func endCause(e *device.EndedError) string {
	switch {
	case e.IdledOut:
		return "idled-out"
	case e.Cause == 0:
		return "unknown-session"
	}
	return e.Cause.String()
}

// refused tells why a login was refused.
func (a *app) refused(err error) error {
	var r *device.RejectedError
	if !errors.As(err, &r) || !a.output.json {
		return clientError(err)
	}
	e := clientEvent{Event: "rejected", Session: r.Session, Code: r.Code.String(), Shown: shown[r.Code], Text: r.Text}
	if r.RetryAfter > 0 {
		e.Retry = r.RetryAfter.String()
	}
	if say := writeJSON(a.out, e); say != nil {
		return say
	}
	return clientError(err)
}
