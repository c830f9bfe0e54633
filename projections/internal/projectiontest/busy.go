package projectiontest

import (
	"testing"
	"time"

	"rollcall/domain"
	"rollcall/eventstore/memlog"
)

// A busy log has so many sessions live at once, each of another device.
const (
	busyLive    = 5_000
	busyDevices = 6_000
)

// Busy gives a log of BusyRecords.
func Busy(t testing.TB, events int) *memlog.Log {
	t.Helper()
	return Log(t, BusyRecords(events))
}

// BusyRecords gives so many events, about: sessions that come, lose coverage,
// resume and go, some thousands at once, eight events a second.
func BusyRecords(events int) []domain.Record {
	b := &busy{at: Begin}
	b.add(&domain.ServiceConfigured{Service: 1, Name: "chat", Settings: domain.Settings{Kind: domain.KindLocal}})
	b.add(&domain.PersonPermitted{Person: 2, Service: 1})
	b.add(&domain.EnrolmentOffered{Person: 2, ValidFor: time.Minute})
	for range busyDevices {
		b.add(&domain.DeviceEnrolled{Person: 2, Offer: 3})
	}
	for len(b.records) < events {
		b.session()
	}
	return b.records
}

type busy struct {
	at      time.Time
	records []domain.Record
	live    []domain.SessionID

	sessions int
}

func (b *busy) add(e domain.Event) domain.Position {
	p := domain.Position(len(b.records) + 1)
	b.at = b.at.Add(125 * time.Millisecond)
	b.records = append(b.records, domain.Record{Position: p, Time: b.at, Event: e})
	return p
}

func (b *busy) session() {
	device := domain.DeviceID(4 + b.sessions%busyDevices)
	b.sessions++
	id := domain.SessionID(b.add(&domain.LoginRequested{Device: device, Service: 1, Account: 2}))
	b.add(&domain.LoginAdmitted{Session: id, Seats: uint32(len(b.live) + 1)})
	b.add(&domain.LoginAccepted{Session: id})
	b.add(&domain.CoverageLost{Session: id, Silent: 10 * time.Second})
	b.add(&domain.SessionResumed{Session: id, Fence: 2})
	if b.live = append(b.live, id); len(b.live) > busyLive {
		b.add(&domain.SessionEnded{Session: b.live[0], Cause: domain.EndLogout})
		b.live = b.live[1:]
	}
}
