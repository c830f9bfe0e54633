package sessions_test

import (
	"testing"
	"time"

	"rollcall/domain"
	"rollcall/projections/sessions"
)

func BenchmarkFold(b *testing.B) {
	f := sessions.Projection().New()
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var p domain.Position
	ev := make([]domain.Record, 0, 1<<20)
	add := func(e domain.Event) domain.Position {
		p++
		ev = append(ev, domain.Record{Position: p, Time: at, Event: e})
		return p
	}
	var live []domain.SessionID
	for len(ev) < 1<<20-10 {
		id := domain.SessionID(add(&domain.LoginRequested{Device: 5, Service: 1, Account: 2}))
		add(&domain.LoginAdmitted{Session: id})
		add(&domain.LoginAccepted{Session: id})
		add(&domain.CoverageLost{Session: id})
		add(&domain.SessionResumed{Session: id, Fence: 2})
		live = append(live, id)
		if len(live) > 5000 {
			add(&domain.SessionEnded{Session: live[0], Cause: 1})
			live = live[1:]
		}
	}
	b.ResetTimer()
	n := 0
	for n < b.N {
		f = sessions.Projection().New()
		for i := range ev {
			if err := f.Apply(ev[i]); err != nil {
				b.Fatal(err)
			}
			n++
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "events/s")
}
