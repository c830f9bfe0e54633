package device_test

import (
	"errors"
	"io"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rollcall/adapters/device"
)

func TestJoinRefusesLabelsThatDoNotDo(t *testing.T) {
	h := newHouse(t)
	for name, label := range map[string]string{
		"too long":             strings.Repeat("a", device.MaxLabel+1),
		"a sequence of escape": "phone\x1b[2J",
		"two lines":            "phone\nroot",
	} {
		path := filepath.Join(t.TempDir(), "identity")
		if _, err := device.Join(t.Context(), h.enrolment("offer"), path, label, h.options()); !errors.Is(err, device.ErrLabel) {
			t.Errorf("Join with a label that is %s = %v, want ErrLabel", name, err)
		}
	}
}

func TestRefusedEnrolmentsDoNotFloodTheLog(t *testing.T) {
	var log strings.Builder
	h := newHouse(t, func(c *device.Config) { c.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
	for range 5 {
		path := filepath.Join(t.TempDir(), "identity")
		if _, err := device.Join(t.Context(), h.enrolment("another"), path, "test", h.options()); !errors.Is(err, device.ErrUnknownSecret) {
			t.Fatalf("Join = %v, want ErrUnknownSecret", err)
		}
	}
	if n := strings.Count(log.String(), "\n"); n != 1 {
		t.Errorf("%d lines, want one for all:\n%s", n, log.String())
	}
}

func TestNoCoverageNamesItsTime(t *testing.T) {
	for _, c := range []struct {
		spent time.Duration
		want  string
	}{
		{200 * time.Microsecond, "no coverage: EOF"},
		{3 * time.Millisecond, "no coverage for 3ms: EOF"},
		{time.Minute, "no coverage for 1m0s: EOF"},
	} {
		if got := (&device.NoCoverageError{For: c.spent, Err: io.EOF}).Error(); got != c.want {
			t.Errorf("Error() after %v = %q, want %q", c.spent, got, c.want)
		}
	}
}
