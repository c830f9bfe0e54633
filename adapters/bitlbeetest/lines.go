package bitlbeetest

import (
	"bufio"
	"io"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// lines are what BitlBee has said and nobody has waited for yet.
type lines struct {
	ended chan struct{} // closed when nothing more can come

	mu      sync.Mutex
	waiting []string
	all     []string
	changed chan struct{} // closed and replaced with every line
}

func newLines() *lines {
	return &lines{ended: make(chan struct{}), changed: make(chan struct{})}
}

func (l *lines) read(from io.Reader) {
	defer close(l.ended)
	for scanner := bufio.NewScanner(from); scanner.Scan(); {
		l.add(strings.TrimSuffix(scanner.Text(), "\r"))
	}
}

func (l *lines) add(line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiting, l.all = append(l.waiting, line), append(l.all, line)
	close(l.changed)
	l.changed = make(chan struct{})
}

// take gives the submatches of the first line that matches, which is not given
// again; or nil, and a channel that closes with the next line.
func (l *lines) take(pattern *regexp.Regexp) ([]string, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, line := range l.waiting {
		if found := pattern.FindStringSubmatch(line); found != nil {
			l.waiting = slices.Delete(l.waiting, i, i+1)
			return found, nil
		}
	}
	return nil, l.changed
}

func (l *lines) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.all, "\n")
}

// Wait waits for a line that matches the regular expression and gives it with its
// submatches. Each line is given once; the order of the others does not matter.
func (b *Bitlbee) Wait(pattern string) []string {
	b.t.Helper()
	expression := regexp.MustCompile(pattern)
	late := time.NewTimer(patience)
	defer late.Stop()
	for over := false; ; {
		found, changed := b.lines.take(expression)
		if found != nil {
			return found
		}
		if over {
			b.t.Fatalf("bitlbee ended while the test waited for %q; it said:\n%s", pattern, b.lines.text())
		}
		select {
		case <-changed:
		case <-b.lines.ended:
			over = true // one more look
		case <-late.C:
			b.t.Fatalf("waited %v for bitlbee to say %q; it said:\n%s", patience, pattern, b.lines.text())
		}
	}
}

// Seen tells whether a line that matches has come and not been waited for.
func (b *Bitlbee) Seen(pattern string) bool {
	found, _ := b.lines.take(regexp.MustCompile(pattern))
	return found != nil
}
