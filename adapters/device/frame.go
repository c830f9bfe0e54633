package device

import (
	"encoding/binary"
	"fmt"
)

// A frame is what is inside a record, or inside the third handshake message:
//
//	+-------+------------------+---------+---------+
//	| flags | length, if padded | content | zeroes  |
//	+-------+------------------+---------+---------+
//
// Flags is one byte, length two, big-endian. Without flagPadded the content goes
// to the end.
const (
	flagZstd   = 1 << 0 // content is a zstd frame
	flagPadded = 1 << 1 // a length precedes the content, zeroes follow it
)

// maxFrame is the longest frame: a record's 65,535 bytes less its tag.
const maxFrame = maxRecord - tagSize

// appendFrame appends a frame with message m. It is padded to the length pad if
// pad is not zero and the frame is shorter.
func appendFrame(dst, m []byte, pad int) ([]byte, error) {
	if len(m) > maxMessage {
		return nil, ErrTooLong
	}
	start := len(dst)
	dst = append(dst, 0)
	if pad > 0 {
		dst[start] |= flagPadded
		dst = append(dst, 0, 0)
	}
	content := len(dst)
	dst, zipped := appendContent(dst, m)
	if zipped {
		dst[start] |= flagZstd
	}
	if pad > 0 && len(dst)-content <= maxFrame {
		binary.BigEndian.PutUint16(dst[start+1:], uint16(len(dst)-content))
		dst = append(dst, make([]byte, max(0, pad-(len(dst)-start)))...)
	}
	if len(dst)-start > maxFrame {
		return nil, ErrTooLong
	}
	return dst, nil
}

// appendContent appends m, compressed if that is shorter.
func appendContent(dst, m []byte) (_ []byte, zipped bool) {
	start := len(dst)
	if len(m) >= compressible {
		if z := compress(dst, m); len(z)-start < len(m) {
			return z, true
		}
	}
	return append(dst[:start], m...), false
}

// parseFrame gives the message in a frame. It lies in frame itself, or in
// scratch's memory if it had to be decompressed and fits there.
func parseFrame(frame, scratch []byte) ([]byte, error) {
	if len(frame) == 0 {
		return nil, fmt.Errorf("%w: empty", ErrFrame)
	}
	flags, content := frame[0], frame[1:]
	if flags&^(flagZstd|flagPadded) != 0 {
		return nil, fmt.Errorf("%w: unknown flags %#02x", ErrFrame, flags)
	}
	if flags&flagPadded != 0 {
		var err error
		if content, err = unpad(content); err != nil {
			return nil, err
		}
	}
	if flags&flagZstd != 0 {
		return decompress(scratch[:0], content)
	}
	return content, nil
}

func unpad(b []byte) ([]byte, error) {
	if len(b) < 2 {
		return nil, fmt.Errorf("%w: no length", ErrFrame)
	}
	n := int(binary.BigEndian.Uint16(b))
	b = b[2:]
	if n > len(b) {
		return nil, fmt.Errorf("%w: length %d, but %d bytes left", ErrFrame, n, len(b))
	}
	for _, zero := range b[n:] {
		if zero != 0 {
			return nil, fmt.Errorf("%w: padding is not zero", ErrFrame)
		}
	}
	return b[:n], nil
}
