package codec

import (
	"fmt"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"rollcall/domain"
	"rollcall/eventstore"
)

// latest is the last millisecond of the year 9999: the last time that can be
// printed in the usual forms.
const latest = 253402300799999

const problemTooLate = "its time lies past the year 9999"

// place is where a stretch of records stands: behind the record at last, whose
// time is ms milliseconds since 1970.
type place struct {
	last domain.Position
	ms   int64
}

// placeBehind gives the place behind the record at last; the time is of no
// account where there is no such record.
func placeBehind(last domain.Position, at time.Time) place {
	if last == 0 {
		return place{}
	}
	return place{last, at.UnixMilli()}
}

// encoder writes records that follow one another.
type encoder struct {
	place
	body writer
}

// append appends the stored form of r, which must be the next record, to dst.
func (e *encoder) append(dst []byte, r domain.Record) ([]byte, error) {
	if problem := e.check(r); problem != "" {
		return dst, &eventstore.BatchError{Problem: problem}
	}
	entry := &table[r.Event.Type()]
	e.body.reset(r.Position)
	entry.encode(&e.body, r.Event)
	if e.body.problem != "" {
		return dst, &eventstore.BatchError{Problem: fmt.Sprintf("%v at position %d: %s", r.Event.Type(), r.Position, e.body.problem)}
	}
	ms := r.Time.UnixMilli()
	if after := ms - e.ms; after != 0 {
		dst = protowire.AppendTag(dst, 1, protowire.VarintType)
		dst = protowire.AppendVarint(dst, uint64(after))
	}
	dst = protowire.AppendTag(dst, entry.number, protowire.BytesType)
	dst = protowire.AppendBytes(dst, e.body.buf)
	e.place = place{r.Position, ms}
	return dst, nil
}

// check gives what is wrong with r as the next record; nothing if it can be
// written.
func (e *encoder) check(r domain.Record) string {
	ms := r.Time.UnixMilli()
	switch {
	case r.Position != e.last+1:
		return fmt.Sprintf("a record for position %d stands at position %d", r.Position, e.last+1)
	case r.Time != domain.Instant(r.Time):
		return fmt.Sprintf("the time of position %d, %v, is not UTC in whole milliseconds", r.Position, r.Time)
	case ms < e.ms:
		return fmt.Sprintf("the time of position %d, %v, lies before that of the record in front of it, %v", r.Position, r.Time, instant(e.ms))
	case ms > latest:
		return fmt.Sprintf("the time of position %d, %v, lies past the year 9999", r.Position, r.Time)
	case r.Event == nil || int(r.Event.Type()) >= len(table) || table[r.Event.Type()].encode == nil:
		return fmt.Sprintf("position %d holds no known event", r.Position)
	}
	return ""
}

// decoder reads records that follow one another.
type decoder struct {
	place
	fields, body reader
	numbers      numbers
}

// next decodes the next record from b. After an *[UnknownEventError] it can go
// on, after any other error it cannot.
func (d *decoder) next(b []byte) (domain.Record, error) {
	d.fields = reader{buf: b, at: d.last + 1}
	var event domain.Event
	var after uint64
	var unknown protowire.Number
	for r := &d.fields; r.next(); {
		entry := entryFor(r.field)
		switch {
		case r.field == 1:
			after = r.upTo(latest)
		case entry == nil:
			if unknown == 0 {
				unknown = r.field
			}
			r.skip()
		case event != nil:
			r.refuse("it holds two events")
		default:
			event = d.event(entry)
		}
	}
	return d.record(b, after, event, unknown)
}

func (d *decoder) event(entry *entry) domain.Event {
	d.body = reader{buf: d.fields.bytes(), at: d.fields.at, numbers: &d.numbers}
	event := entry.decode(&d.body)
	if d.body.problem != "" {
		d.fields.refuse("event %d: %s", entry.number, d.body.problem)
	}
	return event
}

// record puts a record together from what its fields gave.
func (d *decoder) record(b []byte, after uint64, event domain.Event, unknown protowire.Number) (domain.Record, error) {
	position, ms := d.last+1, d.ms+int64(after)
	problem := d.fields.problem
	switch {
	case problem != "":
	case ms > latest:
		problem = problemTooLate
	case event == nil && unknown == 0:
		problem = "it holds no event"
	}
	if problem != "" {
		return domain.Record{}, &MalformedError{Position: position, Problem: problem}
	}
	d.place = place{position, ms}
	if event == nil {
		return domain.Record{}, &UnknownEventError{Position: position, Time: instant(ms), Number: uint32(unknown), Raw: b}
	}
	return domain.Record{Position: position, Time: instant(ms), Event: event}, nil
}

func instant(ms int64) time.Time { return time.UnixMilli(ms).UTC() }
