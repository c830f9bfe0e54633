package wire

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"strings"
)

// The bounds on one message, in bytes unless said otherwise.
const (
	MaxMessage = 1 << 20
	MaxString  = 128 << 10 // of one value
	maxTag     = 256
	maxDepth   = 16 // arrays inside of arrays
	maxHeader  = 8 << 10
	maxFields  = MaxMessage / 16 // fields in one message, at any depth
)

// decoder reads one message; it never takes more than its budget.
type decoder struct {
	in     *bufio.Reader
	what   string
	budget int
	fields int
}

func (d *decoder) fault(format string, args ...any) error { return badFormat(d.what, format, args...) }

// spend takes n bytes from the budget.
func (d *decoder) spend(n int) error {
	if n > d.budget {
		return d.fault("longer than %d bytes", MaxMessage)
	}
	d.budget -= n
	return nil
}

// full reads into b. A message that breaks off is io.ErrUnexpectedEOF.
func (d *decoder) full(b []byte) error {
	if err := d.spend(len(b)); err != nil {
		return err
	}
	_, err := io.ReadFull(d.in, b)
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

func (d *decoder) uint32() (uint32, error) {
	var b [4]byte
	err := d.full(b[:])
	return binary.LittleEndian.Uint32(b[:]), err
}

func (d *decoder) uint16() (uint16, error) {
	var b [2]byte
	err := d.full(b[:])
	return binary.LittleEndian.Uint16(b[:]), err
}

// string reads a string of up to limit bytes. A final NUL is taken off where
// there is one. Memory is taken as the bytes come, not as the length promises.
func (d *decoder) string(limit int) (string, error) {
	length, err := d.uint32()
	if err != nil {
		return "", err
	}
	if uint64(length) > uint64(limit)+1 {
		return "", d.fault("a string of %d bytes, where up to %d are taken", length, limit)
	}
	var text strings.Builder
	for left := int(length); left > 0; {
		chunk := make([]byte, min(left, 4096))
		if err := d.full(chunk); err != nil {
			return "", err
		}
		left -= len(chunk)
		if left == 0 && chunk[len(chunk)-1] == 0 {
			chunk = chunk[:len(chunk)-1]
		}
		text.Write(chunk)
	}
	return text.String(), nil
}

// topLevel reads fields up to the byte that ends them.
func (d *decoder) topLevel() (Fields, error) {
	var fields Fields
	for {
		f, end, err := d.field(0)
		if err != nil || end {
			return fields, err
		}
		fields = append(fields, f)
	}
}

// field reads one field; end tells that it is the mark behind the last one.
func (d *decoder) field(depth int) (f Field, end bool, err error) {
	var head [1]byte
	if err := d.full(head[:]); err != nil {
		return f, false, err
	}
	f.Type = Type(head[0])
	if f.Type == typeEnd {
		return f, true, nil
	}
	if d.fields++; d.fields > maxFields {
		return f, false, d.fault("more than %d fields", maxFields)
	}
	if err := d.full(head[:]); err != nil {
		return f, false, err
	}
	f.Method = Method(head[0])
	if f.Tag, err = d.string(maxTag); err != nil {
		return f, false, err
	}
	switch {
	case f.Type.isArray():
		f.Fields, err = d.array(depth + 1)
	case f.Type.isText():
		f.Text, err = d.string(MaxString)
	default:
		f.Number, err = d.uint32()
	}
	return f, false, err
}

func (d *decoder) array(depth int) (Fields, error) {
	count, err := d.uint32()
	if err != nil {
		return nil, err
	}
	if depth > maxDepth {
		return nil, d.fault("arrays nested deeper than %d", maxDepth)
	}
	var fields Fields
	for range count { // each takes from the budget, whatever count says
		f, end, err := d.field(depth)
		if err != nil {
			return nil, err
		}
		if end {
			return nil, d.fault("an array of %d fields ends after %d", count, len(fields))
		}
		fields = append(fields, f)
	}
	return fields, nil
}
