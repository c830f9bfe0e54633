package codec_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"

	"rollcall/domain"
	"rollcall/eventstore/codec"
)

// What the schema calls a field is what package domain calls it: each field has, by
// its name, the value that the event has. Every field differs from the others.
func TestSchemaReadsEveryValue(t *testing.T) {
	blockType := schema(t).Messages().ByName("Block")
	for _, typ := range domain.EventTypes() {
		t.Run(typ.String(), func(t *testing.T) {
			event := reflect.New(reflect.TypeOf(goldens[typ.String()]).Elem())
			n := uint64(1)
			distinct(event.Elem(), &n)
			r := goldenRecord(event.Interface().(domain.Event))
			b, err := codec.AppendBlock(nil, at-1, before, []domain.Record{r})
			if err != nil {
				t.Fatal(err)
			}
			block := dynamicpb.NewMessage(blockType)
			if err := proto.Unmarshal(b, block); err != nil {
				t.Fatal(err)
			}
			if first, ms := fieldOf(block, "first").Uint(), fieldOf(block, "before_ms").Uint(); first != at || int64(ms) != before.UnixMilli() {
				t.Errorf("the block begins at %d, behind %d ms; want %d, %d", first, ms, at, before.UnixMilli())
			}
			record := fieldOf(block, "records").List().Get(0).Message()
			if after := fieldOf(record, "after_ms").Uint(); int64(after) != r.Time.Sub(before).Milliseconds() {
				t.Errorf("after_ms = %d, want that of %v behind %v", after, r.Time, before)
			}
			sameValues(t, typ.String(), event.Elem(), fieldOf(record, string(fieldName(typ))).Message())
		})
	}
}

func fieldOf(m protoreflect.Message, name string) protoreflect.Value {
	return m.Get(m.Descriptor().Fields().ByName(protoreflect.Name(name)))
}

// distinct fills every field with a number of its own.
func distinct(v reflect.Value, n *uint64) {
	for i := range v.NumField() {
		*n++
		switch f := v.Field(i); f.Interface().(type) {
		case domain.Optional[uint32]:
			f.Set(reflect.ValueOf(domain.Some(uint32(*n))))
		case domain.Optional[time.Duration]:
			f.Set(reflect.ValueOf(domain.Some(time.Duration(*n) * time.Millisecond)))
		case time.Duration:
			f.SetInt(int64(*n) * int64(time.Millisecond))
		case domain.Settings:
			distinct(f, n)
		case map[string]string:
			f.Set(reflect.ValueOf(map[string]string{"k": fmt.Sprint(*n)}))
		default:
			switch f.Kind() {
			case reflect.String:
				f.SetString(fmt.Sprint("t", *n))
			case reflect.Bool:
				f.SetBool(true)
			case reflect.Uint8:
				f.SetUint(1)
			default:
				f.SetUint(*n)
			}
		}
	}
}

// sameValues fails where a message has other fields than an event, or other values.
func sameValues(t *testing.T, path string, event reflect.Value, m protoreflect.Message) {
	t.Helper()
	fields := m.Descriptor().Fields()
	if fields.Len() != event.NumField() {
		t.Errorf("%s has %d fields in the schema, %d in package domain", path, fields.Len(), event.NumField())
	}
	for i := range fields.Len() {
		name := string(fields.Get(i).Name())
		plain := strings.TrimSuffix(strings.TrimSuffix(name, "_back"), "_ms")
		have := event.FieldByNameFunc(func(s string) bool { return strings.EqualFold(s, strings.ReplaceAll(plain, "_", "")) })
		if !have.IsValid() {
			t.Errorf("%s.%s is no field of package domain", path, name)
			continue
		}
		got := m.Get(fields.Get(i))
		if settings, ok := have.Interface().(domain.Settings); ok {
			sameValues(t, path+"."+name, reflect.ValueOf(settings), got.Message())
			continue
		}
		if got, want := printed(got), storedAs(have, strings.HasSuffix(name, "_back")); got != want {
			t.Errorf("%s.%s = %s, want %s", path, name, got, want)
		}
	}
}

// printed gives a value that the schema has read.
func printed(v protoreflect.Value) string {
	m, ok := v.Interface().(protoreflect.Map)
	if !ok {
		return fmt.Sprint(v.Interface())
	}
	entries := make(map[string]string)
	m.Range(func(k protoreflect.MapKey, v protoreflect.Value) bool {
		entries[k.String()] = v.String()
		return true
	})
	return fmt.Sprint(entries)
}

// storedAs gives a field of an event as the schema has it: durations in milliseconds,
// references by how far they lie back.
func storedAs(v reflect.Value, back bool) string {
	switch x := v.Interface().(type) {
	case domain.Optional[uint32]:
		n, _ := x.Get()
		return fmt.Sprint(n)
	case domain.Optional[time.Duration]:
		d, _ := x.Get()
		return fmt.Sprint(d.Milliseconds())
	case time.Duration:
		return fmt.Sprint(x.Milliseconds())
	}
	switch {
	case back:
		return fmt.Sprint(at - v.Uint())
	case v.Kind() == reflect.Uint8: // it has a name of its own
		return fmt.Sprint(v.Uint())
	}
	return fmt.Sprint(v.Interface())
}
