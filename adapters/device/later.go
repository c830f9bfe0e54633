package device

import (
	"encoding/binary"
	"fmt"
	"time"
)

// A server that has too many handshakes under way answers the preamble and the
// first handshake message, at which it has not looked, with 16 bytes in clear, and
// closes:
//
//	 0 1 2 3   4         5 6 7    8 ... 11       12 ... 15
//	+--------+---------+--------+--------------+-----------+
//	| "RCLW" | version | zeroes | milliseconds | zeroes    |
//	+--------+---------+--------+--------------+-----------+
const laterMagic = "RCLW"

// appendLater appends the request to come back later.
func appendLater(b []byte, later time.Duration) []byte {
	b = append(b, laterMagic...)
	b = append(b, Version, 0, 0, 0)
	b = binary.BigEndian.AppendUint32(b, toMillis(later))
	return append(b, 0, 0, 0, 0)
}

// parseLater gives how much later a server asks to come back, within the bounds of
// what a device believes; ok is false if that is not what b says.
func parseLater(b [preambleSize]byte) (later time.Duration, ok bool) {
	asked := fromMillis(binary.BigEndian.Uint32(b[8:]))
	if string(b[:]) != string(appendLater(nil, asked)) {
		return 0, false
	}
	return min(max(asked, shortestLater), longestLater), true
}

// CrowdedError tells that the server had no time for another handshake. That is
// not authenticated: whoever can say so can keep the device away by other means.
type CrowdedError struct {
	// After is when to try again, between a second and a minute.
	After time.Duration
}

func (e *CrowdedError) Error() string {
	return fmt.Sprintf("the server has too many devices at its door; it asks to come back in %v", e.After.Round(time.Second))
}

// sendAway asks a device to come back later.
func (l *link) sendAway(later time.Duration) {
	if _, err := l.conn.Write(appendLater(nil, later)); err == nil {
		l.server.counters.sentAway.Add(1)
	}
}
