package audit

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode"

	"rollcall/domain"
)

// fields gives an event as a JSON object: one member for each of its fields, in
// their order and named like them in snake case, then the extras. Numbers are
// numbers, durations and coded values are text, what is unset is left out.
func fields(e domain.Event, extras map[string]string) (json.RawMessage, error) {
	var o object
	o.structure(reflect.ValueOf(e).Elem())
	for _, key := range slices.Sorted(maps.Keys(extras)) {
		o.member(key, extras[key])
	}
	return o.close()
}

// object is a JSON object in the making. Members keep the order in which they
// come, which a map would lose.
type object struct {
	text bytes.Buffer
	err  error
}

func (o *object) member(key string, value any) {
	text, err := json.Marshal(value)
	if o.err == nil {
		o.err = err
	}
	separator := ','
	if o.text.Len() == 0 {
		separator = '{'
	}
	fmt.Fprintf(&o.text, "%c%q:%s", separator, key, text)
}

func (o *object) close() (json.RawMessage, error) {
	if o.text.Len() == 0 {
		o.text.WriteByte('{')
	}
	o.text.WriteByte('}')
	return o.text.Bytes(), o.err
}

func (o *object) structure(v reflect.Value) {
	for field, value := range v.Fields() {
		if shown, set := plain(value); set {
			o.member(snake(field.Name), shown)
		}
	}
}

// plain gives a field's value as JSON shows it; set is false for what is unset.
func plain(v reflect.Value) (shown any, set bool) {
	switch x := v.Interface().(type) {
	case time.Duration:
		return x.String(), true
	case domain.Optional[uint32]:
		return x.Get()
	case domain.Optional[time.Duration]:
		d, set := x.Get()
		return d.String(), set
	case domain.Settings:
		var o object
		o.structure(v)
		text, err := o.close()
		return text, err == nil
	case map[string]string:
		return x, len(x) > 0
	case string:
		return x, x != ""
	case fmt.Stringer:
		return x.String(), true
	}
	return v.Interface(), true
}

// snake turns a Go name into snake case: OutOfCoverage into out_of_coverage.
func snake(name string) string {
	var b strings.Builder
	for i, r := range name {
		if unicode.IsUpper(r) && i > 0 {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}
