package sessions

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"time"

	"rollcall/domain"
)

// Reader reads a log.
type Reader interface {
	Read(ctx context.Context, from domain.Position) iter.Seq2[domain.Record, error]
}

// At gives the sessions that there were at a time, by ascending id, and the
// position of the last record that counted: that of the last one written at the
// time or before. It reads the log from its beginning and needs no stored view.
func At(ctx context.Context, log Reader, at time.Time) ([]Session, domain.Position, error) {
	f := newFold()
	var last domain.Position
	for r, err := range log.Read(ctx, 1) {
		if err != nil {
			return nil, last, err
		}
		if r.Time.After(at) {
			break
		}
		if err := f.Apply(r); err != nil {
			return nil, last, err
		}
		last = r.Position
	}
	return f.list(), last, nil
}

func (f *fold) list() []Session {
	list := make([]Session, 0, f.seats.Seats().Len())
	for id, s := range f.seats.Seats().All() {
		var person domain.PersonID
		if d := f.devices.Get(s.Device); d != nil {
			person = d.Person
		}
		list = append(list, session(id, s, person))
	}
	slices.SortFunc(list, func(a, b Session) int { return cmp.Compare(a.ID, b.ID) })
	return list
}
