package device

import (
	"context"
	"sync"
)

// links closes the links of a context when that ends. A [context.AfterFunc] for
// each link would do the same, and take some 200 bytes of every idle one.
type links struct {
	mu   sync.Mutex
	open map[<-chan struct{}]*company // by their context's Done
}

// company are the links of one context.
type company struct {
	links map[*link]struct{}
	stop  func() bool // has the context forget the company
}

// add has l closed when ctx ends, unless it is removed first.
func (s *links) add(ctx context.Context, l *link) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.open[ctx.Done()]
	if c == nil {
		c = &company{links: make(map[*link]struct{})}
		c.stop = context.AfterFunc(ctx, func() { s.abort(c) })
		s.open[ctx.Done()] = c
	}
	c.links[l] = struct{}{}
	if ctx.Err() != nil { // the others may have been closed by now
		go l.abort()
	}
}

// remove undoes add. It does not matter whether ctx has ended.
func (s *links) remove(ctx context.Context, l *link) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.open[ctx.Done()]
	delete(c.links, l)
	if len(c.links) == 0 {
		c.stop()
		delete(s.open, ctx.Done())
	}
}

// abort closes all of c's links at once: to close one may take a while.
func (s *links) abort(c *company) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for l := range c.links {
		go l.abort()
	}
}
