package logtest

import (
	"math/rand/v2"
	"time"

	"rollcall/domain"
	"rollcall/eventstore"
)

// Town makes up what a log of so many people holds: logins, most of them accepted,
// people out of coverage and back, idle logouts and endings, at random times
// over days, and never more sessions than people. It is what benchmarks read; the events are the same every time.
type Town struct {
	random *rand.Rand
	last   eventstore.Position
	at     time.Time
	people int
	live   []domain.SessionID
}

// NewTown gives a town in front of its first event.
func NewTown(people int) *Town {
	return &Town{random: rand.New(rand.NewPCG(1, 1)), at: time.Date(2026, 1, 5, 7, 0, 0, 0, time.UTC), people: people}
}

// Records gives at least n more records.
func (w *Town) Records(n int) (records []eventstore.Record) {
	add := func(e domain.Event) eventstore.Position {
		w.last++
		records = append(records, eventstore.Record{Position: w.last, Time: w.at, Event: e})
		return w.last
	}
	for len(records) < n {
		w.at = w.at.Add(time.Duration(w.random.ExpFloat64()*400) * time.Millisecond)
		switch i := w.random.IntN(100); {
		case i < 30 || len(w.live) < 10:
			w.login(add)
		case i < 55:
			add(&domain.CoverageLost{Session: w.anyone(), Silent: time.Duration(10_000+w.random.IntN(60_000)) * time.Millisecond})
		case i < 70:
			add(&domain.CoverageRegained{Session: w.anyone()})
		case i < 80:
			add(&domain.SessionResumed{Session: w.anyone(), Fence: uint32(2 + w.random.IntN(5))})
		default:
			add(&domain.SessionEnded{Session: w.leave(), Cause: domain.EndLogout})
		}
	}
	return records
}

func (w *Town) login(add func(domain.Event) eventstore.Position) {
	who := min(1+eventstore.Position(w.random.IntN(w.people)*3), w.last+1)
	session := domain.SessionID(add(&domain.LoginRequested{Device: domain.DeviceID(who), Service: 1, Account: domain.AccountID(who)}))
	limit := domain.Some(uint32(w.people))
	seats := uint32(len(w.live) + 1)
	i := w.random.IntN(20)
	if len(w.live) == w.people {
		i %= 2
	}
	switch i {
	case 0:
		add(&domain.LoginRejected{Session: session, Code: domain.RejectServerBusy, Seats: seats, Limit: limit, LongestIdle: domain.Some(90 * time.Second)})
		return
	case 1:
		seats--
		add(&domain.SessionIdledOut{Session: w.leave(), For: session, Idle: time.Duration(w.random.IntN(3_600_000)) * time.Millisecond})
	}
	add(&domain.LoginAdmitted{Session: session, Seats: seats, Limit: limit})
	w.at = w.at.Add(time.Duration(20+w.random.IntN(200)) * time.Millisecond)
	add(&domain.LoginAccepted{Session: session})
	w.live = append(w.live, session)
}

func (w *Town) anyone() domain.SessionID { return w.live[w.random.IntN(len(w.live))] }

func (w *Town) leave() domain.SessionID {
	if len(w.live) == 0 {
		return 1
	}
	i := w.random.IntN(len(w.live))
	s := w.live[i]
	w.live[i] = w.live[len(w.live)-1]
	w.live = w.live[:len(w.live)-1]
	return s
}
