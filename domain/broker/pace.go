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
// shorter than the interval it was given.
func (b *Broker) pace(e *domain.ServiceConfigured) {
	interval := b.statusInterval(e.Settings)
	for _, s := range b.live() {
		if s.service == e.Service {
			b.ending.Go(func() { s.pace(interval) })
		}
	}
}

func (s *session) pace(interval time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over || s.conv == nil || s.interval == interval {
		return
	}
	s.interval = interval
	s.say(Pace{StatusInterval: interval})
	s.flush()
}
