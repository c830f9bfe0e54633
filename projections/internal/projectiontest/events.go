package projectiontest

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"rollcall/domain"
)

// Begin is the time of the first record in a text.
var Begin = time.Date(2026, 1, 2, 3, 4, 0, 0, time.UTC)

var events = map[string]domain.Event{}

func init() {
	for _, e := range []domain.Event{
		&domain.BrokerStarted{}, &domain.BrokerStopped{},
		&domain.ServiceConfigured{}, &domain.ServiceRemoved{},
		&domain.PersonPermitted{}, &domain.PersonBarred{},
		&domain.EnrolmentOffered{}, &domain.DeviceEnrolled{}, &domain.DeviceRevoked{},
		&domain.LoginRequested{}, &domain.LoginAdmitted{}, &domain.LoginAccepted{}, &domain.LoginRejected{},
		&domain.CoverageLost{}, &domain.CoverageRegained{}, &domain.SessionResumed{},
		&domain.SessionIdledOut{}, &domain.SessionEnded{},
	} {
		events[e.Type().String()] = e
	}
}

// Records reads one record a line:
//
//	+5s login-requested Device=4 Service=1 Account=2
//
// First how long after the record in front of it, then the event's printed name,
// then its fields. Empty lines and lines that begin with # are skipped.
func Records(t testing.TB, text string) []domain.Record {
	t.Helper()
	var records []domain.Record
	at := Begin
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		if len(words) == 0 || words[0][0] == '#' {
			continue
		}
		after, err := time.ParseDuration(words[0])
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		at = at.Add(after)
		e, err := event(words[1], words[2:])
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		records = append(records, domain.Record{Position: domain.Position(len(records) + 1), Time: at, Event: e})
	}
	return records
}

func event(name string, fields []string) (domain.Event, error) {
	like, ok := events[name]
	if !ok {
		return nil, fmt.Errorf("no event %q", name)
	}
	e := reflect.New(reflect.TypeOf(like).Elem())
	for _, field := range fields {
		path, value, _ := strings.Cut(field, "=")
		f := e.Elem()
		for _, name := range strings.Split(path, ".") {
			if f = f.FieldByName(name); !f.IsValid() {
				return nil, fmt.Errorf("no field %q", path)
			}
		}
		if err := set(f, value); err != nil {
			return nil, fmt.Errorf("%s: %w", field, err)
		}
	}
	return e.Interface().(domain.Event), nil
}

func set(f reflect.Value, text string) error {
	switch p := f.Addr().Interface().(type) {
	case *time.Duration:
		d, err := time.ParseDuration(text)
		*p = d
		return err
	case *domain.Optional[time.Duration]:
		d, err := time.ParseDuration(text)
		*p = domain.Some(d)
		return err
	case *domain.Optional[uint32]:
		n, err := strconv.ParseUint(text, 10, 32)
		*p = domain.Some(uint32(n))
		return err
	case *map[string]string:
		key, value, _ := strings.Cut(text, ":")
		*p = map[string]string{key: value}
		return nil
	}
	return setBasic(f, text)
}

func setBasic(f reflect.Value, text string) error {
	switch f.Kind() {
	case reflect.String:
		f.SetString(text)
	case reflect.Bool:
		b, err := strconv.ParseBool(text)
		f.SetBool(b)
		return err
	case reflect.Uint8, reflect.Uint32, reflect.Uint64:
		n, err := strconv.ParseUint(text, 10, 64)
		f.SetUint(n)
		return err
	default:
		return fmt.Errorf("cannot set a %v", f.Type())
	}
	return nil
}
