package codec

import (
	"fmt"
	"time"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"

	"rollcall/domain"
)

// writer writes the fields of one message in ascending order. It keeps the first
// problem; what is written after that is void.
type writer struct {
	buf     []byte
	at      domain.Position // of the record being written
	problem string
}

func (w *writer) reset(at domain.Position) { *w = writer{buf: w.buf[:0], at: at} }

func (w *writer) refuse(format string, args ...any) {
	if w.problem == "" {
		w.problem = fmt.Sprintf(format, args...)
	}
}

// present writes a number, zero included.
func (w *writer) present(field protowire.Number, v uint64) {
	w.buf = protowire.AppendTag(w.buf, field, protowire.VarintType)
	w.buf = protowire.AppendVarint(w.buf, v)
}

// uint writes a number; zero is absent.
func (w *writer) uint(field protowire.Number, v uint64) {
	if v != 0 {
		w.present(field, v)
	}
}

// optUint writes a number that may be unset.
func (w *writer) optUint(field protowire.Number, o domain.Optional[uint32]) {
	if v, set := o.Get(); set {
		w.present(field, uint64(v))
	}
}

func (w *writer) bool(field protowire.Number, v bool) { w.uint(field, protowire.EncodeBool(v)) }

// ref writes a reference as a distance; none is absent.
func (w *writer) ref(field protowire.Number, to domain.Position) {
	switch {
	case to > w.at:
		w.refuse("field %d refers to position %d, which comes later", field, to)
	case to != 0:
		w.present(field, uint64(w.at-to))
	}
}

// millis gives a duration in milliseconds, and refuses one that is finer.
func (w *writer) millis(field protowire.Number, d time.Duration) uint64 {
	if d%time.Millisecond != 0 {
		w.refuse("field %d: %v is finer than a millisecond", field, d)
	}
	return protowire.EncodeZigZag(d.Milliseconds())
}

// duration writes a duration; zero is absent.
func (w *writer) duration(field protowire.Number, d time.Duration) {
	w.uint(field, w.millis(field, d))
}

// optDuration writes a duration that may be unset.
func (w *writer) optDuration(field protowire.Number, o domain.Optional[time.Duration]) {
	if d, set := o.Get(); set {
		w.present(field, w.millis(field, d))
	}
}

// presentText writes a text, the empty one included.
func (w *writer) presentText(field protowire.Number, s string) {
	if !utf8.ValidString(s) {
		w.refuse("field %d is not UTF-8", field)
	}
	w.buf = protowire.AppendTag(w.buf, field, protowire.BytesType)
	w.buf = protowire.AppendString(w.buf, s)
}

// text writes a text; the empty one is absent.
func (w *writer) text(field protowire.Number, s string) {
	if s != "" {
		w.presentText(field, s)
	}
}

// message writes what fill writes as a message of its own.
func (w *writer) message(field protowire.Number, fill func(*writer)) {
	inner := writer{at: w.at, problem: w.problem}
	fill(&inner)
	w.problem = inner.problem
	w.buf = protowire.AppendTag(w.buf, field, protowire.BytesType)
	w.buf = protowire.AppendBytes(w.buf, inner.buf)
}
