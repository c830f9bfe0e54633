package usage

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.etcd.io/bbolt"

	"rollcall/domain"
	"rollcall/projections"
)

// Minute is what happened on a service in the minute that began at Begin.
type Minute struct {
	Begin   time.Time
	Service domain.ServiceID
	Counts
}

// View answers from the stored view. It is safe for concurrent use.
type View struct{ source projections.Source }

// In gives the view in a source.
func In(source projections.Source) View { return View{source} }

// Minutes gives the minutes that began at from or later and before to, by time
// and service, and the position as of which. A zero to is the end of time.
func (v View) Minutes(from, to time.Time) (list []Minute, at domain.Position, err error) {
	err = v.source.View(Name, func(s projections.Snapshot) error {
		at = s.Position
		list, err = over(s.Rows, from, to)
		if err != nil {
			return err
		}
		now, err := last(s.Rows)
		list = append(list, now...)
		return err
	})
	list = slices.DeleteFunc(list, func(m Minute) bool {
		return m.Begin.Before(from) || !to.IsZero() && !m.Begin.Before(to)
	})
	slices.SortFunc(list, byTime)
	return list, at, err
}

// Last gives the latest minute of each service in which something happened.
func (v View) Last() (list []Minute, at domain.Position, err error) {
	err = v.source.View(Name, func(s projections.Snapshot) error {
		at = s.Position
		list, err = last(s.Rows)
		return err
	})
	return list, at, err
}

// over gives the earlier minutes of the services.
func over(rows *bbolt.Bucket, from, to time.Time) (list []Minute, err error) {
	prefix := []byte(minuteKind + "/")
	first := append(bytes.Clone(prefix), from.UTC().Format(time.RFC3339)...)
	c := rows.Cursor()
	for k, v := c.Seek(first); bytes.HasPrefix(k, prefix); k, v = c.Next() {
		m, err := decode(string(k[len(prefix):]), v)
		if err != nil {
			return list, fmt.Errorf("decode row %s: %w", k, err)
		}
		if !to.IsZero() && !m.Begin.Before(to) {
			break
		}
		list = append(list, m)
	}
	return list, nil
}

func decode(key string, value []byte) (m Minute, err error) {
	begin, service, _ := strings.Cut(key, "/")
	if m.Begin, err = time.Parse(time.RFC3339, begin); err != nil {
		return m, err
	}
	id, err := strconv.ParseUint(service, 10, 64)
	if err != nil {
		return m, err
	}
	m.Service = domain.ServiceID(id)
	return m, json.Unmarshal(value, &m.Counts)
}

// last gives the minutes that are still counted.
func last(rows *bbolt.Bucket) (list []Minute, err error) {
	for id, row := range projections.Rows[domain.ServiceID, current](rows, nowKind) {
		if row.Err != nil {
			return list, row.Err
		}
		list = append(list, Minute{row.Row.Begin, id, row.Row.Counts})
	}
	return list, nil
}

func byTime(a, b Minute) int {
	return cmp.Or(a.Begin.Compare(b.Begin), cmp.Compare(a.Service, b.Service))
}
