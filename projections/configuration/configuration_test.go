package configuration_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"rollcall/domain"
	"rollcall/projections/configuration"
	"rollcall/projections/internal/projectiontest"
)

func TestGolden(t *testing.T) { projectiontest.Golden(t, configuration.Projection()) }

func TestAnyBatching(t *testing.T) { projectiontest.AnyBatching(t, configuration.Projection()) }

func TestTheLedgerAgrees(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		records, ledger := projectiontest.Draw(rt)
		view := configuration.In(projectiontest.Source(t, configuration.Projection(), records))
		var want []configuration.Service
		for s := range ledger.Services() {
			want = append(want, configuration.Service{ID: s.ID, Name: s.Name, Settings: s.Settings, Total: s.Total})
		}
		got, err := view.Services()
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			rt.Fatalf("Services: %v (-ledger +view):\n%s", err, diff)
		}
		accounts, err := view.Accounts()
		for _, a := range accounts {
			if known, ok := ledger.Account(a.ID); !ok || known != domain.Account(a) {
				rt.Fatalf("account %+v, in the ledger %+v, %v", a, known, ok)
			}
		}
		devices, err2 := view.Devices()
		for _, d := range devices {
			known, ok := ledger.Device(d.ID)
			if !ok || known.Person != d.Person || known.Revoked != d.Revoked {
				rt.Fatalf("device %+v, in the ledger %+v, %v", d, known, ok)
			}
		}
		if err != nil || err2 != nil {
			rt.Fatal(err, err2)
		}
	})
}

func TestOffers(t *testing.T) {
	view := configuration.In(projectiontest.Source(t, configuration.Projection(), projectiontest.Records(t, `
+0s enrolment-offered Person=1 ValidFor=1m
+0s enrolment-offered Person=1 ValidFor=2m
+0s enrolment-offered Person=1 ValidFor=2m
+1s device-enrolled Person=1 Offer=3
`)))
	begin := projectiontest.Begin
	for _, c := range []struct {
		after time.Duration
		want  []configuration.Offer
	}{
		{59 * time.Second, []configuration.Offer{{1, 1, begin.Add(time.Minute)}, {2, 1, begin.Add(2 * time.Minute)}}},
		{time.Minute, []configuration.Offer{{2, 1, begin.Add(2 * time.Minute)}}},
		{2 * time.Minute, []configuration.Offer{}},
	} {
		got, err := view.Offers(begin.Add(c.after))
		if diff := cmp.Diff(c.want, got); diff != "" || err != nil {
			t.Errorf("Offers after %v: %v (-want +got):\n%s", c.after, err, diff)
		}
	}
}
