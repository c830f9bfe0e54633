package wire

import (
	"encoding/binary"
	"fmt"
	"math"
)

// writer appends what is described to it.
type writer struct {
	out     []byte
	message int // where the header stands; negative outside of a message
	base    int // from where end marks are counted
	err     error
}

// EncodeError tells that something cannot be written.
type EncodeError struct {
	Field   string
	Problem string
}

func (e *EncodeError) Error() string { return "encode " + e.Field + ": " + e.Problem }

func (w *writer) fail(name, format string, args ...any) {
	if w.err == nil {
		w.err = &EncodeError{name, fmt.Sprintf(format, args...)}
	}
}

func (w *writer) u8(_ string, v *uint8)   { w.out = append(w.out, *v) }
func (w *writer) u16(_ string, v *uint16) { w.out = binary.BigEndian.AppendUint16(w.out, *v) }
func (w *writer) u32(_ string, v *uint32) { w.out = binary.BigEndian.AppendUint32(w.out, *v) }

func (w *writer) flag(name string, v *bool) {
	var b uint8
	if *v {
		b = 1
	}
	w.u8(name, &b)
}

func (w *writer) text(name string, v *string) {
	if len(*v) > MaxString {
		w.fail(name, "%d bytes are more than the %d of a string", len(*v), MaxString)
		return
	}
	n := uint16(len(*v))
	w.u16(name, &n)
	w.out = append(w.out, *v...)
}

func (w *writer) opaque(name string, v *[]byte) {
	w.block(name, some(true), func(form) { w.out = append(w.out, *v...) })
}

func (w *writer) secret(name string, v *[]byte) { w.opaque(name, v) }
func (w *writer) rest(_ string, v *[]byte)      { w.out = append(w.out, *v...) }

func (w *writer) group(_ string, fields func(form)) { fields(w) }

func (w *writer) block(name string, present *bool, fields func(form)) {
	at := len(w.out)
	w.out = append(w.out, 0, 0, 0, 0)
	if *present {
		fields(w)
	}
	w.patch(name, at, len(w.out)-at-4)
}

func (w *writer) marked(fields func(form)) {
	at := len(w.out)
	w.out = append(w.out, 0, 0, 0, 0)
	fields(w)
	w.patch("end mark", at, len(w.out)-w.base)
}

func (w *writer) patch(name string, at, n int) {
	if n > math.MaxInt32 {
		w.fail(name, "%d bytes", n)
		return
	}
	binary.BigEndian.PutUint32(w.out[at:], uint32(n))
}

func (w *writer) count(name string, n *int, _ int) {
	v := uint32(*n)
	w.u32(name, &v)
}

func (w *writer) channel(v *uint32) {
	if w.message >= 0 {
		binary.BigEndian.PutUint32(w.out[w.message+4:], *v)
	}
}

func (w *writer) encrypted(v *bool) {
	if w.message >= 0 && *v {
		binary.BigEndian.PutUint16(w.out[w.message+2:], optionEncrypted)
	}
}

func (w *writer) constant(bytes ...byte) { w.out = append(w.out, bytes...) }
func (w *writer) more() bool             { return true }
