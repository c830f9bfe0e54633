package usage_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/projections/internal/projectiontest"
	"rollcall/projections/usage"
)

func TestGolden(t *testing.T) { projectiontest.Golden(t, usage.Projection()) }

func TestAnyBatching(t *testing.T) { projectiontest.AnyBatching(t, usage.Projection()) }

func TestMinutes(t *testing.T) {
	view := usage.In(projectiontest.Source(t, usage.Projection(), projectiontest.Records(t, `
+0s service-configured Service=1 Name=chat Settings.Kind=local
+0s service-configured Service=2 Name=work Settings.Kind=local
+0s device-enrolled Person=1 Offer=1
+0s login-requested Device=3 Service=1 Account=1
+0s login-admitted Session=4 Seats=1
+60s login-accepted Session=4
+60s session-ended Session=4 Cause=1
+1s login-requested Device=3 Service=2 Account=1
+0s login-rejected Session=8 Code=3
`)))
	at := func(d time.Duration) time.Time { return projectiontest.Begin.Add(d) }
	minutes := []usage.Minute{
		{at(0), 1, usage.Counts{SeatsMax: 1, SeatsLast: 1}},
		{at(time.Minute), 1, usage.Counts{SeatsMax: 1, SeatsLast: 1, Accepted: 1}},
		{at(2 * time.Minute), 1, usage.Counts{SeatsMax: 1}},
		{at(2 * time.Minute), 2, usage.Counts{Busy: 1}},
	}
	for _, c := range []struct {
		name     string
		from, to time.Time
		want     []usage.Minute
	}{
		{"all", time.Time{}, time.Time{}, minutes},
		{"from within a minute", at(time.Millisecond), time.Time{}, minutes[1:]},
		{"to is not in", at(time.Minute), at(2 * time.Minute), minutes[1:2]},
		{"nothing", at(time.Hour), time.Time{}, []usage.Minute{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, last, err := view.Minutes(c.from, c.to)
			if diff := cmp.Diff(c.want, got); diff != "" || err != nil || last != 9 {
				t.Errorf("Minutes = as of %d, %v (-want +got):\n%s", last, err, diff)
			}
		})
	}
	if got, _, err := view.Last(); err != nil || cmp.Diff(minutes[2:], got) != "" {
		t.Errorf("Last = %v, %v; want %v", got, err, minutes[2:])
	}
}
