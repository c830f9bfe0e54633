package projections

import "time"

// progressEvery is how many events lie between two reports of progress.
const progressEvery = 1 << 16

// Progress tells how far a rebuild has come.
type Progress struct {
	// Events are folded in, of Total.
	Events, Total uint64
	// Rate is in events per second.
	Rate float64
	// Left is how long the rest takes at that rate; zero while there is no rate.
	Left time.Duration
}

// meter measures progress and reports it.
type meter struct {
	begin  time.Time
	report func(Progress)
	// resumed are the events that were folded in before the meter began.
	resumed uint64
}

func newMeter(report func(Progress), resumed uint64) *meter {
	if report == nil {
		report = func(Progress) {}
	}
	return &meter{begin: time.Now(), report: report, resumed: resumed}
}

func (m *meter) at(events, total uint64) {
	p := Progress{Events: events, Total: total}
	p.Rate = float64(events-m.resumed) / time.Since(m.begin).Seconds()
	if p.Rate > 0 {
		p.Left = time.Duration(float64(total-events) / p.Rate * float64(time.Second))
	}
	m.report(p)
}
