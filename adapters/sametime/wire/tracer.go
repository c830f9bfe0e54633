package wire

import (
	"fmt"
	"strings"
)

// tracer writes what is described to it as text for people.
type tracer struct{ strings.Builder }

// Trace gives a message or a service message on one line, such as
//
//	CHANNEL_DESTROY channel=0x1 reason=SUCCESS
//
// It is for tests and for people who look for a fault. What a login proves itself
// with is shown by its length only; text that people wrote is shown.
func Trace(p Part) string {
	var t tracer
	t.WriteString(p.name())
	p.fields(&t)
	return t.String()
}

func (t *tracer) put(name, format string, v any) {
	t.WriteByte(' ')
	if name != "" {
		t.WriteString(name + "=")
	}
	fmt.Fprintf(t, format, v)
}

func (t *tracer) u8(name string, v *uint8)      { t.put(name, "%d", *v) }
func (t *tracer) u16(name string, v *uint16)    { t.put(name, "0x%04x", *v) }
func (t *tracer) u32(name string, v *uint32)    { t.put(name, "0x%x", *v) }
func (t *tracer) flag(name string, v *bool)     { t.put(name, "%t", *v) }
func (t *tracer) text(name string, v *string)   { t.put(name, "%q", *v) }
func (t *tracer) opaque(name string, v *[]byte) { t.put(name, "<%x>", *v) }
func (t *tracer) secret(name string, v *[]byte) { t.put(name, "<%d bytes>", len(*v)) }
func (t *tracer) rest(name string, v *[]byte)   { t.opaque(name, v) }

func (t *tracer) group(name string, fields func(form)) {
	t.put(name, "%s", "{")
	fields(t)
	t.WriteString(" }")
}

func (t *tracer) block(name string, present *bool, fields func(form)) {
	if *present {
		t.group(name, fields)
	}
}

func (t *tracer) marked(fields func(form))         { fields(t) }
func (t *tracer) count(name string, n *int, _ int) { t.put(name, "%d", *n) }
func (t *tracer) channel(v *uint32)                { t.u32("channel", v) }

func (t *tracer) encrypted(v *bool) {
	if *v {
		t.WriteString(" encrypted")
	}
}

func (t *tracer) constant(...byte) {}
func (t *tracer) more() bool       { return true }
