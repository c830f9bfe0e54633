package domain

import "time"

// What a full house tells the devices that it sends away.
const (
	// busyFirst is when the first is to return where nobody can tell when there
	// will be room.
	busyFirst = 30 * time.Second
	// busyGap lies between the return of one device and that of the next: fifty
	// a second, a small part of the logins that one core sees through.
	busyGap = 20 * time.Millisecond
	// busyMost is the longest that any device is sent away for.
	busyMost = 10 * time.Minute
)

// queue spreads the devices that a full house sends away over time, as the
// generic cell rate algorithm does: each is told to return one gap after the one
// before it. It grows with each refusal, and falls back as time passes and as
// seats become free. It is folded from the refusals on record.
type queue struct {
	next int64 // the first place not given out, Unix milliseconds; zero if all have passed
}

// reach gives how far into the future places have been given out.
func (q *queue) reach(at time.Time) time.Duration {
	return max(time.UnixMilli(q.next).Sub(at), 0)
}

// busyHint gives when a device shall return: when the next seat may become free,
// or behind the queue where that reaches further. A queue that is full begins
// again at half its length, so that its places come twice, three times and so on,
// and nobody waits for longer than the most.
func busyHint(first, reach time.Duration) time.Duration {
	hint := max(min(first, busyMost/2), reach)
	if hint > busyMost {
		return busyMost / 2
	}
	return hint
}

// add takes in the place that was given out at the time at.
func (q *queue) add(at time.Time, hint time.Duration) {
	q.next = at.Add(max(min(hint, busyMost), 0) + busyGap).UnixMilli()
}

// shorten tells that one seat has become free: one device less will be sent away.
func (q *queue) shorten(now time.Time) {
	q.next -= busyGap.Milliseconds()
	if q.next <= now.UnixMilli() {
		q.next = 0
	}
}

// untilRoom gives when the next session can be logged out, if one can.
func untilRoom(settings Settings, longestIdle Optional[time.Duration]) time.Duration {
	timeout, set := settings.IdleTimeout.Get()
	if idle, some := longestIdle.Get(); set && some && idle < timeout {
		return max(timeout-idle, time.Second)
	}
	return busyFirst
}
