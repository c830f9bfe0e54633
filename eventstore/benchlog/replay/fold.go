package main

import "rollcall/domain"

// kind is what an event means for the live counts.
type kind uint8

const (
	nothing kind = iota
	begins
	loses
	regains
	ends
)

// event is what all peers fold.
type event struct {
	time    int64 // milliseconds since 1970
	session domain.SessionID
	kind    kind
}

// reduced gives what the live counts need of a record.
func reduced(r *domain.Record) (session domain.SessionID, k kind) {
	switch e := r.Event.(type) {
	case *domain.LoginAccepted:
		return e.Session, begins
	case *domain.CoverageLost:
		return e.Session, loses
	case *domain.CoverageRegained:
		return e.Session, regains
	case *domain.SessionResumed:
		return e.Session, regains
	case *domain.SessionIdledOut:
		return e.Session, ends
	case *domain.SessionEnded:
		return e.Session, ends
	}
	return 0, nothing
}

// counts are the live sessions, and how many of them are in coverage.
type counts struct {
	covered map[domain.SessionID]bool
	events  int
	inReach int
}

func newCounts() *counts { return &counts{covered: make(map[domain.SessionID]bool)} }

func (c *counts) fold(session domain.SessionID, k kind) {
	c.events++
	switch k {
	case begins:
		c.covered[session] = true
		c.inReach++
	case loses:
		c.reach(session, false, -1)
	case regains:
		c.reach(session, true, +1)
	case ends:
		if c.covered[session] {
			c.inReach--
		}
		delete(c.covered, session)
	}
}

func (c *counts) reach(session domain.SessionID, covered bool, by int) {
	if was, live := c.covered[session]; live && was != covered {
		c.covered[session] = covered
		c.inReach += by
	}
}

// result is what all peers must come to.
type result struct{ events, live, inReach int }

func (c *counts) result() result { return result{c.events, len(c.covered), c.inReach} }
