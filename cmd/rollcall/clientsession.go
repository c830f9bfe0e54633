package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"
	"time"

	"rollcall/adapters/device"
	"rollcall/domain/broker"
)

// errLeft tells that the client left without logging out.
var errLeft = errors.New("left without logging out; the session goes on, take it up again with 'rollcall client resume'")

// converse holds a session until it is over.
func (a *app) converse(ctx context.Context, s *device.Session, how string, stay bool) error {
	ctx, leave := context.WithCancelCause(ctx)
	defer leave(nil)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(signals)
	go heed(signals, s, leave)

	out := &clientOutput{app: a, session: s, how: how, before: s.Unanswered()}
	if how == "accepted" {
		out.began()
	}
	go a.obey(s, out, stay)
	err := s.Run(ctx, device.Handler{Item: out.item, State: out.state, Sent: out.sent, Coverage: out.coverage})
	out.unanswered(err)
	if ctx.Err() != nil { // told to leave, or nobody waits any more
		return &exitError{exitNoCoverage, errLeft}
	}
	return out.over(err)
}

// logoutPatience is how long an interrupted client waits for its logout: there
// may be no coverage for it.
const logoutPatience = 5 * time.Second

// heed logs out at the first interrupt, and leaves at the second, at a SIGTERM,
// or where the logout does not come through.
func heed(signals <-chan os.Signal, s *device.Session, leave context.CancelCauseFunc) {
	if <-signals == os.Interrupt {
		s.Logout()
		select {
		case <-signals:
		case <-time.After(logoutPatience):
		}
	}
	leave(errLeft)
}

// obey works off standard input, until it ends.
func (a *app) obey(s *device.Session, out *clientOutput, stay bool) {
	parse := parseLine
	if a.output.json {
		parse = parseJSON
	}
	for {
		line, readErr := a.in.ReadString('\n')
		if line != "" {
			s.Use()
		}
		wish, err := parse(line)
		if err == nil {
			err = wish.do(s)
		}
		if err != nil {
			out.mistake(wish.message(), err)
		}
		if readErr != nil {
			if !stay {
				s.Logout()
			}
			return
		}
	}
}

// wish is what one line of input asks for; each field may be empty.
type wish struct {
	Send     *wishSend     `json:"send"`
	Presence *wishPresence `json:"presence"`
	Logout   *struct{}     `json:"logout"`
}

type wishSend struct {
	ID   string `json:"id"`
	To   string `json:"to"`
	Body string `json:"body"`
}

type wishPresence struct {
	Show string `json:"show"`
	Text string `json:"text"`
}

// message gives the id that the message to send was given, if any.
func (w wish) message() string {
	if w.Send == nil {
		return ""
	}
	return w.Send.ID
}

func (w wish) do(s *device.Session) error {
	switch {
	case w.Send != nil && w.Send.ID != "":
		return s.SendAs(broker.Send{ID: w.Send.ID, To: w.Send.To, Body: w.Send.Body})
	case w.Send != nil:
		_, err := s.Send(w.Send.To, w.Send.Body)
		return err
	case w.Presence != nil:
		show, ok := broker.ParseShow(w.Presence.Show)
		if !ok {
			return errors.New("show is one of available, away, busy, idle, offline")
		}
		return s.SetPresence(broker.OwnPresence{Show: show, Text: w.Presence.Text})
	case w.Logout != nil:
		s.Logout()
	}
	return nil
}
