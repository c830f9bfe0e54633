package domain_test

import (
	"testing"
	"time"

	"rollcall/domain"
)

func TestCoverage(t *testing.T) {
	lost := &domain.CoverageLost{Session: first, Silent: time.Minute}
	out := steps(live(first, alice), time.Minute, lost)
	resume := func(device domain.DeviceID, fence uint32) domain.Command {
		return domain.ResumeSession{Session: first, Device: device, Fence: fence}
	}
	run(t, []scenario{
		{name: "lost", settings: open, given: steps(live(first, alice), time.Second, touch(first), 70*time.Second), when: domain.LoseCoverage{Session: first}, then: []domain.Event{&domain.CoverageLost{Session: first, Silent: 70 * time.Second}}},
		{name: "lost though heard of later, by a clock that went back", settings: open, given: steps(live(first, alice), time.Minute, touch(first), -time.Second), when: domain.LoseCoverage{Session: first}, then: []domain.Event{&domain.CoverageLost{Session: first}}},
		{name: "lost already", settings: open, given: out, when: domain.LoseCoverage{Session: first}},
		{name: "lost by a pending login", settings: open, given: pending(first, alice), when: domain.LoseCoverage{Session: first}, err: domain.ErrUnknownSession},
		{name: "regained", settings: open, given: out, when: domain.RegainCoverage{Session: first}, then: []domain.Event{&domain.CoverageRegained{Session: first}}},
		{name: "regained without a loss", settings: open, given: live(first, alice), when: domain.RegainCoverage{Session: first}},
		{name: "regained by nobody", settings: open, when: domain.RegainCoverage{Session: first}, err: domain.ErrUnknownSession},
		{name: "resumed", settings: open, given: out, when: resume(alice, 2), then: []domain.Event{&domain.SessionResumed{Session: first, Fence: 2}}},
		{name: "resumed on a second link while the first one stands", settings: open, given: live(first, alice), when: resume(alice, 2), then: []domain.Event{&domain.SessionResumed{Session: first, Fence: 2}}},
		{name: "the login's own link has the number 1", settings: open, given: out, when: resume(alice, 1), err: domain.ErrStaleFence},
		{name: "an older link", settings: open, given: steps(out, &domain.SessionResumed{Session: first, Fence: 5}), when: resume(alice, 5), err: domain.ErrStaleFence},
		{name: "resumed by another device", settings: open, given: out, when: resume(bob, 2), err: domain.ErrUnknownSession},
		{name: "resumed after the end", settings: open, given: steps(out, &domain.SessionEnded{Session: first}), when: resume(alice, 2), err: domain.ErrUnknownSession},
	})
}

func TestFenceOutlivesARestart(t *testing.T) {
	w := given(cast(open, unset[uint32]()), live(first, alice), &domain.SessionResumed{Session: first, Fence: 7}, &domain.BrokerStarted{})
	if s, _ := w.ledger.Seat(first); s.Fence != 7 || s.Covered || !s.Live {
		t.Errorf("seat after a restart = %+v, want live, out of coverage, fence 7", s)
	}
}

func TestTouch(t *testing.T) {
	lost := &domain.CoverageLost{Session: first, Silent: time.Minute}
	cases := []struct {
		name  string
		given []any
		want  time.Time
	}{
		{"a live session", steps(live(first, alice), time.Minute, touch(first)), start.Add(time.Minute)},
		{"an earlier time", steps(live(first, alice), time.Minute, touch(first), -time.Second, touch(first)), start.Add(time.Minute)},
		{"a pending login", steps(pending(first, alice), time.Minute, touch(first)), start},
		{"out of coverage, which only a record ends", steps(live(first, alice), time.Minute, lost, time.Second, touch(first)), start},
		{"nobody", steps(live(first, alice), time.Minute, touch(second)), start},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if s, _ := given(cast(open, unset[uint32]()), c.given).ledger.Seat(first); !s.Heard.Equal(c.want) {
				t.Errorf("heard = %v, want %v", s.Heard, c.want)
			}
		})
	}
}

func TestStartAndStop(t *testing.T) {
	run(t, []scenario{
		{
			name: "logins that were pending are refused, live sessions stay", settings: open,
			given: steps(pending(first, alice), live(13, bob), pending(16, carol)),
			when:  domain.StartBroker{Version: "1.2.3"},
			then: []domain.Event{
				&domain.BrokerStarted{Version: "1.2.3"},
				&domain.LoginRejected{Session: first, Code: domain.RejectInterrupted},
				&domain.LoginRejected{Session: 16, Code: domain.RejectInterrupted},
			},
		},
		{name: "stop", settings: open, given: twoLive, when: domain.StopBroker{}, then: []domain.Event{&domain.BrokerStopped{}}},
		{
			name: "after a start everybody is out of coverage from then on", settings: roomIdle(2, time.Minute, domain.EvictFewest),
			given: steps(twoLive, time.Hour, &domain.BrokerStarted{}, time.Minute), when: carolAsks,
			then: []domain.Event{carolAsked,
				&domain.SessionIdledOut{Session: first, For: 18, Idle: time.Minute, OutOfCoverage: true},
				&domain.LoginAdmitted{Session: 18, Seats: 2, Limit: limited(2), LongestIdle: idled(time.Minute)},
			},
		},
	})
}
