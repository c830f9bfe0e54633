package whole_test

import (
	"context"
	"testing"
	"time"

	"rollcall/domain"
	"rollcall/domain/broker"
	"rollcall/eventstore/boltlog"
)

// BenchmarkOpen opens a broker on a log of 2,000,000 events: sessions that came
// and went. Until it is open, nobody is let in.
func BenchmarkOpen(b *testing.B) {
	const events = 2_000_000
	h := newHouse(b, 1)
	device := h.device(0)
	account := must(h.PermitPerson(b.Context(), name(0), broker.AccountRef{Service: "im", Account: name(0)}))(b)
	service := must(h.Service(b.Context(), "im"))(b)
	check(b, h.Stop(b.Context()))
	for h.log.Last() < events {
		fill(b, h.log, &domain.LoginRequested{Device: device, Service: service.ID, Account: account})
	}
	b.ResetTimer()
	for b.Loop() {
		opened := must(broker.Open(b.Context(), broker.Config{Log: h.log}))(b)
		b.StopTimer()
		check(b, opened.Stop(context.Background()))
		b.StartTimer()
	}
	b.ReportMetric(float64(b.N)*events/b.Elapsed().Seconds(), "events/s")
}

// fill appends a thousand sessions.
func fill(b *testing.B, log *boltlog.Log, request *domain.LoginRequested) {
	var records []domain.Record
	last, now := log.Last(), domain.Instant(time.Now())
	for range 1000 {
		id := domain.SessionID(last) + domain.SessionID(len(records)) + 1
		for _, e := range []domain.Event{
			request, &domain.LoginAdmitted{Session: id, Seats: 1}, &domain.LoginAccepted{Session: id},
			&domain.SessionEnded{Session: id, Cause: domain.EndLogout},
		} {
			records = append(records, domain.Record{Position: last + domain.Position(len(records)) + 1, Time: now, Event: e})
		}
	}
	must(log.Append(b.Context(), last, domain.Batch{Records: records}))(b)
}
