package main

import (
	"testing"

	"rollcall/adapters/device"
	"rollcall/domain"
)

func TestEndCause(t *testing.T) {
	for _, test := range []struct {
		want  string
		ended device.EndedError
	}{
		{"idled-out", device.EndedError{IdledOut: true}},
		{"unknown-session", device.EndedError{}},
		{"ended-by-operator", device.EndedError{Cause: domain.EndedByOperator}},
	} {
		if got := endCause(&test.ended); got != test.want {
			t.Errorf("endCause(%+v) = %q, want %q", test.ended, got, test.want)
		}
	}
}
