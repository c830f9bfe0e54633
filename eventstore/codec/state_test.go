package codec_test

import (
	"bytes"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/domain"
	"rollcall/eventstore/codec"
)

// Every field that a state has in package domain is stored: none can be added
// there and be forgotten here.
func TestEveryFieldOfAStateIsStored(t *testing.T) {
	var want domain.State
	fillState(t, reflect.ValueOf(&want).Elem())
	seat := want.Seats[0]
	want.Heard = map[domain.SessionID]time.Time{seat.Session: seat.Heard}
	want.Seats[0].Heard = time.Time{}
	got, err := codec.DecodeState(stored(t, want))
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("decoded: %v (-want +got)\n%s", err, diff)
	}
}

// fillState sets every field to something that is not its zero value, and puts
// one of these into every slice.
func fillState(t *testing.T, v reflect.Value) {
	t.Helper()
	for i := range v.NumField() {
		switch field := v.Field(i); {
		case field.Type() == reflect.TypeFor[time.Time]():
			field.Set(reflect.ValueOf(time.UnixMilli(int64(1000 * (i + 1))).UTC()))
		case field.Type() == reflect.TypeFor[domain.Settings]():
			fill(t, field)
		case field.Type() == reflect.TypeFor[domain.Optional[uint32]]():
			field.Set(reflect.ValueOf(domain.Some[uint32](0)))
		case field.Kind() == reflect.Slice:
			one := reflect.New(field.Type().Elem()).Elem()
			if one.Kind() == reflect.Struct {
				fillState(t, one)
			} else {
				fillPlain(t, one, 7)
			}
			field.Set(reflect.Append(field, one))
		case field.Kind() == reflect.Map: // what is in it, the caller knows
		case field.Kind() == reflect.Struct:
			fillState(t, field)
		default:
			fillPlain(t, field, uint64(i+1))
		}
	}
}

func stored(t *testing.T, s domain.State) []byte {
	t.Helper()
	b, err := codec.AppendState(nil, s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestEmptyState(t *testing.T) {
	want := domain.NewLedger().State()
	got, err := codec.DecodeState(stored(t, want))
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("decoded: %v (-want +got)\n%s", err, diff)
	}
}

func TestStateRefusesWhatNoEventHolds(t *testing.T) {
	s := domain.State{Services: []domain.Service{{ID: 1, Settings: domain.Settings{IdleTimeout: domain.Some(time.Nanosecond)}}}}
	if _, err := codec.AppendState(nil, s); err == nil {
		t.Error("a timeout of a nanosecond was stored")
	}
}

// Whatever the bytes are, decoding gives a state or a typed error. What decodes
// encodes again, to bytes that then stay the same.
func FuzzState(f *testing.F) {
	var full domain.State
	full.Services = []domain.Service{{ID: 1, Name: "im", Settings: domain.Settings{Kind: "local", Options: map[string]string{"a": "b"}}}}
	full.Seats = []domain.Seat{{Session: 9, Device: 3, Live: true}}
	full.Heard = map[domain.SessionID]time.Time{9: time.UnixMilli(-5)}
	b, err := codec.AppendState(nil, full)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		state, err := codec.DecodeState(b)
		if err != nil {
			checkMalformed(t, err)
			return
		}
		once := stored(t, state)
		again, err := codec.DecodeState(once)
		if err != nil {
			t.Fatal(err)
		}
		if twice := stored(t, again); !bytes.Equal(once, twice) {
			t.Fatalf("encoded %x, then %x", once, twice)
		}
	})
}
