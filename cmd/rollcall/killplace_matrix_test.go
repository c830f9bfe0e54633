package main

import (
	"context"
	"fmt"
	"testing"
	"time"

	"rollcall/adapters/control"
)

// killPlaces are the places between a decision and its answer, in the order in
// which they are reached.
var killPlaces = []struct {
	name, place string
	times       int  // how often it is reached until the end
	resume      bool // in the resume of a session, after a restart
}{
	{"login decided", "append login-admitted", 1, false},
	{"login durable", "appended login-admitted", 1, false},
	{"login upstream", "have logged in upstream", 1, false},
	{"acceptance decided", "append login-accepted", 2, false},
	{"acceptance durable", "appended login-accepted", 2, false},
	{"login answered", "tell broker.Accepted", 2, false},

	{"resume before upstream", "log in upstream", 1, true},
	{"resume upstream", "have logged in upstream", 2, true},
	{"resume decided", "append session-resumed", 1, true},
	{"resume durable", "appended session-resumed", 2, true},
	{"resume answered", "tell broker.Resumed", 1, true},

	{"message taken", "send upstream", 5, false},
	{"letter decided", "put letter", 5, false},
	{"letter durable", "have put letter", 5, false},
	{"letter told", "tell broker.Item", 5, false},
	{"message upstream", "have sent upstream", 5, false},
	{"answer decided", "keep answer", 5, false},
	{"answer durable", "have kept answer", 5, false},
	{"message answered", "tell broker.Sent", 5, false},
}

// TestApplianceKilledBetweenDecisionAndAnswer kills the appliance at each named place
// of a login, a resume and a message: no login that was answered is missing in the
// log, and every message arrives, once.
func TestApplianceKilledBetweenDecisionAndAnswer(t *testing.T) {
	h := newHouse(t)
	h.rollcall("service", "set", "office", "--kind", "local")
	h.open()
	told := newWitness()
	told.seats = 2 * len(killPlaces) // every pair stays
	var c *conversationOf
	for i, p := range killPlaces {
		if i%freshDevices == 0 || p.resume { // in a resume, of their only sessions
			c = converseAs(t, h, fmt.Sprintf("k%d-", i), "office", 2, 0)
			c.told = told
		}
		if !p.resume {
			h.shut()
			h.openUntil(p.place, p.times)
		}
		c.exchange(t, nil, func(context.Context) {
			if p.resume {
				c.awaitCovered()
				h.serve.kill()
				h.openUntil(p.place, p.times)
			}
			h.awaitDeath(p.place)
			h.open()
		})
		told.verify(t, h.operator())
		if t.Failed() {
			t.Fatalf("killed at: %s", p.name)
		}
	}
	h.shut()
}

// openUntil starts an appliance that is killed when it reaches a place for the nth
// time.
func (h *house) openUntil(place string, n int) {
	h.t.Helper()
	before := h.more
	defer func() { h.more = before }()
	h.more = append(h.more, fmt.Sprintf("%s=%s:%d", killAtVariable, place, n))
	h.open()
}

// awaitDeath waits until the appliance has been killed at a place.
func (h *house) awaitDeath(place string) {
	h.t.Helper()
	select {
	case <-h.serve.over:
	case <-time.After(patience):
		h.t.Errorf("the appliance does not come to %q", place)
		h.serve.kill()
	}
}

// awaitCovered waits until both talkers have a session with a link.
func (c *conversationOf) awaitCovered() {
	c.t.Helper()
	for _, k := range c.talkers {
		c.state(k.name, control.StateCovered)
	}
}
