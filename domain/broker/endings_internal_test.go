package broker

import (
	"testing"
	"time"

	"rollcall/domain"
)

// TestEndingsKeepTheLatest has one session more end than are kept.
func TestEndingsKeepTheLatest(t *testing.T) {
	l, e := domain.NewLedger(), endings{}
	for _, c := range []domain.Command{
		domain.ConfigureService{Name: "im", Settings: domain.Settings{Kind: domain.KindLocal}},
		domain.OfferEnrolment{Permit: []domain.ServiceID{1}, ValidFor: time.Minute},
		domain.EnrolDevice{Offer: 3},
	} {
		fold(t, l, c)
	}
	var ids []domain.SessionID
	for range keptEndings + 1 {
		id := domain.SessionID(l.Position() + 1)
		fold(t, l, domain.RequestLogin{Device: 4, Service: 1, Account: 2})
		e.note(l, ending{session: id, cause: domain.EndLogout})
		ids = append(ids, id)
	}
	if len(e.latest) != keptEndings {
		t.Errorf("%d endings are kept, want %d", len(e.latest), keptEndings)
	}
	for id, want := range map[domain.SessionID]bool{ids[0]: false, ids[1]: true, ids[keptEndings]: true} {
		if _, ok := e.find(id, 4); ok != want {
			t.Errorf("the ending of session %d is known: %v, want %v", id, ok, want)
		}
	}
	if _, ok := e.find(ids[1], 5); ok {
		t.Error("another device is told how the session ended")
	}
}

func fold(t *testing.T, l *domain.Ledger, c domain.Command) {
	t.Helper()
	events, err := domain.Decide(l, c)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		l.Apply(domain.Record{Position: l.Position() + 1, Event: e})
	}
}
