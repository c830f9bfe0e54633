package connectivity_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"rollcall/domain"
	"rollcall/projections/connectivity"
	"rollcall/projections/internal/projectiontest"
)

func TestGolden(t *testing.T) { projectiontest.Golden(t, connectivity.Projection()) }

func TestAnyBatching(t *testing.T) { projectiontest.AnyBatching(t, connectivity.Projection()) }

func TestTheLedgerAgrees(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		records, ledger := projectiontest.Draw(rt)
		view := connectivity.In(projectiontest.Source(t, connectivity.Projection(), records))
		list, at, err := view.List()
		if err != nil || int(at) != len(records) {
			rt.Fatalf("List: as of %d, %v; want as of %d", at, err, len(records))
		}
		if diff := cmp.Diff(slices.Collect(ledger.Seats()), seats(list), cmpopts.IgnoreFields(domain.Seat{}, "Heard")); diff != "" {
			rt.Fatalf("List (-ledger +view):\n%s", diff)
		}
		for _, s := range list {
			got, err := view.OfDevice(s.Device)
			want := slices.DeleteFunc(slices.Clone(list), func(o connectivity.Session) bool { return o.Device != s.Device })
			if diff := cmp.Diff(want, got); diff != "" || err != nil {
				rt.Fatalf("OfDevice(%d): %v (-want +got):\n%s", s.Device, err, diff)
			}
			if got, ok, err := view.Get(s.ID); got != s || !ok || err != nil {
				rt.Fatalf("Get(%d) = %v, %v, %v; want %v", s.ID, got, ok, err, s)
			}
		}
		if _, ok, err := view.Get(1); ok || err != nil {
			rt.Fatalf("Get(1) = %v, %v; want none", ok, err)
		}
	})
}

// seats gives the sessions as the ledger tells them, but for when they were
// heard of.
func seats(list []connectivity.Session) []domain.Seat {
	var out []domain.Seat
	for _, s := range list {
		out = append(out, domain.Seat{
			Session: s.ID, Device: s.Device, Account: s.Account, Service: s.Service,
			Live: s.Live, Covered: s.Covered, Fence: s.Fence,
		})
	}
	return out
}
