package groupwise_test

import (
	"strings"
	"sync/atomic"
)

// counter counts messages by how their trace begins.
type counter struct{ n atomic.Int64 }

func (c *counter) count(prefix string) func(int, string) {
	return func(_ int, line string) {
		if strings.HasPrefix(line, prefix) {
			c.n.Add(1)
		}
	}
}

func (c *counter) get() int64 { return c.n.Load() }
