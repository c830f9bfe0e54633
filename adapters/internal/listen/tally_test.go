package listen_test

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"rollcall/adapters/internal/listen"
)

// lockedBuffer is written to by timers too.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

// take gives what was written since the last time.
func (b *lockedBuffer) take() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	defer b.buf.Reset()
	return b.buf.String()
}

func TestTally(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out lockedBuffer
		tally := listen.NewTally(slog.New(slog.NewTextHandler(&out, nil)), 10*time.Second)
		lines := func() []string {
			synctest.Wait()
			text := strings.TrimSpace(out.take())
			if text == "" {
				return nil
			}
			return strings.Split(text, "\n")
		}
		for range 1000 {
			tally.Add("refused", "peer", "192.0.2.1")
		}
		if got := lines(); len(got) != 1 || !strings.Contains(got[0], "count=1 ") {
			t.Errorf("at once: %q, want one line that counts one", got)
		}
		time.Sleep(11 * time.Second)
		if got := lines(); len(got) != 1 || !strings.Contains(got[0], "count=999 total=1000") {
			t.Errorf("after the interval: %q, want one line that counts the rest", got)
		}
		time.Sleep(time.Minute)
		tally.Add("refused")
		tally.Add("refused")
		tally.Flush()
		if got := lines(); len(got) != 2 || !strings.Contains(got[1], "total=1002") {
			t.Errorf("flushed: %q, want the held back one too", got)
		}
		if got := tally.Totals()["refused"]; got != 1002 {
			t.Errorf("Totals = %d, want 1002", got)
		}
	})
}
