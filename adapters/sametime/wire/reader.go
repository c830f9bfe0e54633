package wire

import (
	"encoding/binary"
	"fmt"
	"strings"
)

// reader takes what is described to it from bytes.
type reader struct {
	in     []byte
	at     int
	end    int // of the block that is being read
	what   string
	head   header
	path   []string
	failed error
}

// DecodeError tells that bytes are not what they should be.
type DecodeError struct {
	// Message is what was being read, such as "LOGIN_ACK".
	Message string
	// Field is where in it, such as "login.user_id".
	Field   string
	Problem string
}

func (e *DecodeError) Error() string {
	if e.Field == "" {
		return fmt.Sprintf("decode %s: %s", e.Message, e.Problem)
	}
	return fmt.Sprintf("decode %s: %s: %s", e.Message, e.Field, e.Problem)
}

func newReader(what string, in []byte) *reader {
	return &reader{in: in, end: len(in), what: what}
}

func (r *reader) fail(name, format string, args ...any) {
	if r.failed == nil {
		field := strings.Join(append(r.path, name), ".")
		r.failed = &DecodeError{r.what, field, fmt.Sprintf(format, args...)}
	}
	r.at = r.end
}

func (r *reader) left() int { return r.end - r.at }

// take gives the next n bytes, or nil where there are less.
func (r *reader) take(name string, n int) []byte {
	if r.failed != nil {
		return nil
	}
	if n > r.left() {
		r.fail(name, "%d bytes wanted, %d are left", n, r.left())
		return nil
	}
	b := r.in[r.at : r.at+n : r.at+n]
	r.at += n
	return b
}

func (r *reader) u8(name string, v *uint8) {
	if b := r.take(name, 1); b != nil {
		*v = b[0]
	}
}

func (r *reader) u16(name string, v *uint16) {
	if b := r.take(name, 2); b != nil {
		*v = binary.BigEndian.Uint16(b)
	}
}

func (r *reader) u32(name string, v *uint32) {
	if b := r.take(name, 4); b != nil {
		*v = binary.BigEndian.Uint32(b)
	}
}

func (r *reader) flag(name string, v *bool) {
	var b uint8
	r.u8(name, &b)
	*v = b != 0
}

func (r *reader) text(name string, v *string) {
	var n uint16
	r.u16(name, &n)
	*v = string(r.take(name, int(n)))
}

func (r *reader) opaque(name string, v *[]byte) {
	if b := r.take(name, r.size(name)); len(b) > 0 {
		*v = b
	}
}

// size reads the length of an opaque; one that is too large becomes what take
// refuses.
func (r *reader) size(name string) int {
	var n uint32
	r.u32(name, &n)
	return int(min(n, 1<<31-1))
}

func (r *reader) secret(name string, v *[]byte) { r.opaque(name, v) }

func (r *reader) rest(name string, v *[]byte) {
	if b := r.take(name, r.left()); len(b) > 0 {
		*v = b
	}
}

func (r *reader) group(name string, fields func(form)) {
	if name == "" {
		fields(r)
		return
	}
	r.path = append(r.path, name)
	fields(r)
	r.path = r.path[:len(r.path)-1]
}

func (r *reader) block(name string, present *bool, fields func(form)) {
	n := r.size(name)
	if n > r.left() {
		r.fail(name, "%d bytes wanted, %d are left", n, r.left())
	}
	*present = n > 0 && r.failed == nil
	if !*present {
		return
	}
	outer, end := r.end, r.at+n
	r.end = end
	r.group(name, fields)
	r.at, r.end = end, outer
	if r.failed != nil {
		r.at = r.end
	}
}

// marked skips to an end mark that points behind what is known and not past the
// end. Others are written by peers that count differently, and mean nothing.
func (r *reader) marked(fields func(form)) {
	var mark uint32
	r.u32("end mark", &mark)
	fields(r)
	if r.failed == nil && int64(mark) > int64(r.at) && int64(mark) <= int64(r.end) {
		r.at = int(mark)
	}
}

func (r *reader) count(name string, n *int, least int) {
	*n = 0
	var v uint32
	r.u32(name, &v)
	if int64(v)*int64(least) > int64(r.left()) {
		r.fail(name, "%d items cannot stand in %d bytes", v, r.left())
		return
	}
	*n = int(v)
}

func (r *reader) channel(v *uint32)  { *v = r.head.channel }
func (r *reader) encrypted(v *bool)  { *v = r.head.options&optionEncrypted != 0 }
func (r *reader) constant(b ...byte) { r.at += min(len(b), r.left()) }
func (r *reader) more() bool         { return r.left() > 0 }
