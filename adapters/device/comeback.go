package device

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"rollcall/adapters/device/linkpb"
	"rollcall/domain/broker"
)

// comeBack resumes the session, with growing pauses between its attempts, until
// it succeeds, the session turns out to be over, or it is time to give up. after
// is how long the server wants to be left alone first.
func (s *Session) comeBack(ctx context.Context, h Handler, after time.Duration) error {
	o := s.client.options
	began := time.Now()
	if err := sleep(ctx, after); err != nil {
		return err
	}
	for pause := o.FirstPause; ; {
		hint, err := s.resume(ctx)
		if err == nil || errors.As(err, new(*EndedError)) || ctx.Err() != nil {
			return err
		}
		wait := max(obey(hint), jitter(pause))
		if !errors.As(err, new(*CrowdedError)) { // whoever is given a turn need not be shy
			pause = min(2*pause, o.LongestPause)
		}
		if o.GiveUp > 0 {
			since := time.Since(began)
			if left := o.GiveUp - since; left > 0 && hint <= left {
				wait = min(wait, left) // the last attempt is when the time is up
			} else {
				return &NoCoverageError{For: since, Err: why(err)}
			}
		}
		o.Logger.Info("no coverage", "service", s.service, "err", err, "next", wait)
		h.covered(false, err)
		if err := sleep(ctx, wait); err != nil {
			return err
		}
	}
}

// why gives what kept one attempt from its server, without how long that took.
func why(err error) error {
	var attempt *NoCoverageError
	if errors.As(err, &attempt) {
		return attempt.Err
	}
	return err
}

// resume makes one attempt. hint is when the server wants to see the next one.
func (s *Session) resume(ctx context.Context) (hint time.Duration, err error) {
	s.mu.Lock()
	opening := openResume(&linkpb.Resume{
		Session: s.id, Secret: s.secret, Received: s.kept, Epoch: s.news.epoch, State: s.news.number,
	})
	s.mu.Unlock()
	ch, answer, err := s.client.ask(ctx, opening)
	if err != nil {
		return turn(err), err
	}
	switch a := answer.(type) {
	case broker.Resumed:
		s.setEpoch(a.Epoch)
		s.setLink(ch, a.StatusInterval)
		return 0, nil
	case broker.ResumeRefused:
		ch.conn.Close()
		if a.Ended {
			return 0, &EndedError{Session: s.ID(), Cause: a.Cause, IdledOut: a.IdledOut, Text: a.Text}
		}
		return a.RetryAfter, errors.New("the session cannot go on now: " + or(a.Text, "the server gives no reason"))
	}
	ch.conn.Close()
	return 0, malformed("answer", "it does not answer a resume")
}

// rest gives how long to wait before the first attempt to come back, after that
// many links in a row that did not last: a moment, for a server may have lost all
// its devices at once; then longer, for links may break as soon as they are there.
func (o Options) rest(short int) time.Duration {
	longest := o.FirstPause
	for ; short > 0 && longest < o.LongestPause; short-- {
		longest = min(2*longest, o.LongestPause)
	}
	return rand.N(longest + 1)
}

// jitter gives a time between half of d and d, so that the devices of a restarted
// server do not come back all at once.
func jitter(d time.Duration) time.Duration { return d/2 + rand.N(d/2+1) }

// turn gives when a crowded server wants to see the device again.
func turn(err error) time.Duration {
	var crowded *CrowdedError
	if !errors.As(err, &crowded) {
		return 0
	}
	return crowded.After
}

// longestHint bounds how long a device stays away because a server says so.
const longestHint = time.Hour

// obey gives how long to stay away from a server that asks for that: as long, and
// up to an eighth more, so that those who were told the same come one by one.
func obey(hint time.Duration) time.Duration {
	hint = min(hint, longestHint)
	return hint + rand.N(hint/8+1)
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
