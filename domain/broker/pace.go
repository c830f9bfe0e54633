package broker

import (
	"time"

	"rollcall/domain"
)

// statusInterval gives how often a device must report so that no timeout of its
// service runs out between two reports.
func (b *Broker) statusInterval(s domain.Settings) time.Duration {
	interval := b.timing.StatusInterval
	for _, timeout := range []domain.Optional[time.Duration]{s.IdleTimeout, s.InactivityTimeout} {
		if d, set := timeout.Get(); set {
			interval = min(interval, d/3)
		}
	}
	return interval
}

// pace has the devices of a service report as often as its settings ask for now.
// Otherwise a device in coverage could count as silent under a timeout that is
// shorter than the interval it was given. Who is logging in, or waking, is told with
// the answer to that.
func (b *Broker) pace(at domain.Position, e *domain.ServiceConfigured) {
	interval := b.statusInterval(e.Settings)
	for _, s := range b.live() {
		if s.service == e.Service {
			b.ending.Go(func() { s.pace(at, interval) })
		}
	}
}

// pace takes the interval of the settings at that position of the log, unless it
// follows later ones already.
func (s *session) pace(at domain.Position, interval time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over || at < s.paced {
		return
	}
	s.paced = at
	if s.interval == interval {
		return
	}
	s.interval = interval
	s.say(Pace{StatusInterval: interval})
	s.flush()
}
