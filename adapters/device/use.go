package device

import (
	"time"

	"rollcall/domain/broker"
)

// useInterval is how seldom a use is told at once.
const useInterval = time.Minute

// use is whether the person uses the device, as far as the server is to know.
type use struct {
	noticed bool // and not told yet
	told    time.Time
}

// Use tells that the person uses the device now, such as by looking at it: the
// server may tell less to a device that nobody looks at. It may be called for
// each touch: the server hears of it at once if it has not for a minute, else with
// the next status. A Send or a SetPresence tells it too.
func (s *Session) Use() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.use.noticed = true
	if s.use.urgent() {
		s.kick()
	}
}

func (u *use) urgent() bool { return u.noticed && time.Since(u.told) > useInterval }

// tell counts the use as told.
func (u *use) tell() { *u = use{told: time.Now()} }

// status gives the status that is due.
func (s *Session) status() broker.Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	status := broker.Status{InUse: s.use.noticed}
	if status.InUse {
		s.use.tell()
	}
	return status
}
