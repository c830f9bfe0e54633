package device

import (
	"fmt"
	"math"
	"time"
	"unicode/utf8"

	"rollcall/adapters/device/linkpb"
	"rollcall/domain"
	"rollcall/domain/broker"
)

// Both ends translate between the messages of the wire and the types of the
// broker here: translate_device.go has what devices send, translate_server.go
// what servers send, translate_item.go the items among that,
// translate_state.go the states.

// malformed gives an [ErrMessage] that names the message and the fault.
func malformed(message, fault string) error {
	return fmt.Errorf("%w: %s: %s", ErrMessage, message, fault)
}

// toMillis gives d in whole milliseconds, rounded up, so that a device never
// comes back too early.
func toMillis(d time.Duration) uint32 {
	ms := (max(d, 0) + time.Millisecond - 1) / time.Millisecond
	return uint32(min(ms, math.MaxUint32))
}

func fromMillis(ms uint32) time.Duration { return time.Duration(ms) * time.Millisecond }

// cut gives text, or as much of its beginning as has the length of limit.
func cut(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	for limit > 0 && !utf8.RuneStart(text[limit]) {
		limit--
	}
	return text[:limit]
}

// valid gives text with what is not UTF-8 replaced: protobuf's strings take
// nothing else.
func valid(text string) string {
	if utf8.ValidString(text) {
		return text
	}
	return string([]rune(text))
}

func toShow(s broker.Show) linkpb.Show { return linkpb.Show(s) }

func fromShow(s linkpb.Show) (broker.Show, bool) {
	return broker.Show(s), s >= linkpb.Show_SHOW_OFFLINE && s <= linkpb.Show_SHOW_IDLE
}

func toCause(c domain.EndCause) linkpb.EndCause { return linkpb.EndCause(c) }

// fromCause gives a cause, also one that this version has no name for.
func fromCause(c linkpb.EndCause) (domain.EndCause, bool) {
	return domain.EndCause(c), c >= 0 && c <= math.MaxUint8
}
