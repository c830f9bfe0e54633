package codec_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/domain"
)

// Every field that an event has in package domain is stored: none can be added
// there and be forgotten here.
func TestEveryFieldIsStored(t *testing.T) {
	for _, typ := range domain.EventTypes() {
		event := reflect.New(reflect.TypeOf(goldens[typ.String()]).Elem())
		fill(t, event.Elem())
		want := goldenRecord(event.Interface().(domain.Event))
		got, err := decodeOne(encodeOne(t, want))
		if err != nil {
			t.Errorf("%v: %v", typ, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%v (-want +got):\n%s", typ, diff)
		}
	}
}

// fill sets every field of a struct to something that is not its zero value.
func fill(t *testing.T, v reflect.Value) {
	t.Helper()
	for i := range v.NumField() {
		switch field := v.Field(i); field.Interface().(type) {
		case domain.Optional[uint32]:
			field.Set(reflect.ValueOf(domain.Some[uint32](0)))
		case domain.Optional[time.Duration]:
			field.Set(reflect.ValueOf(domain.Some[time.Duration](0)))
		case time.Duration:
			field.SetInt(int64(time.Second))
		case domain.Settings:
			fill(t, field)
		case map[string]string:
			field.Set(reflect.ValueOf(map[string]string{"key": "value"}))
		default:
			fillPlain(t, field, uint64(i+1))
		}
	}
}

func fillPlain(t *testing.T, field reflect.Value, n uint64) {
	t.Helper()
	switch field.Kind() {
	case reflect.Uint8, reflect.Uint32, reflect.Uint64:
		field.SetUint(n)
	case reflect.String:
		field.SetString("text")
	case reflect.Bool:
		field.SetBool(true)
	default:
		t.Fatalf("no idea how to fill a %v", field.Type())
	}
}
