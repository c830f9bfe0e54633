package device

import (
	"context"
	"io"
	"net"
	"testing"
	"testing/synctest"
)

// TestEndOfAContextClosesItsLinks, and those that come after it, but no other's.
func TestEndOfAContextClosesItsLinks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, Config{})
		ctx, cancel := context.WithCancel(t.Context())
		serve := func(ctx context.Context) (end net.Conn, done chan struct{}) {
			ours, theirs := net.Pipe()
			done = make(chan struct{})
			go func() {
				defer close(done)
				b.server.Serve(ctx, theirs, "192.0.2.1:1")
			}()
			return ours, done
		}
		var closed []chan struct{}
		for range 3 {
			_, done := serve(ctx)
			closed = append(closed, done)
		}
		other, otherDone := serve(t.Context())
		synctest.Wait()
		cancel()
		_, late := serve(ctx)
		for _, done := range append(closed, late) {
			<-done
		}
		synctest.Wait()
		select {
		case <-otherDone:
			t.Error("the link of another context was closed too")
		default:
		}
		other.Close()
		<-otherDone
		if n := len(b.server.links.open); n != 0 {
			t.Errorf("%d contexts are still kept", n)
		}
	})
}

// TestLinksComeAndGoWithTheirContext has links begin and end while their
// context ends.
func TestLinksComeAndGoWithTheirContext(t *testing.T) {
	b := newBench(t, Config{})
	for range 50 {
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		for i := range 4 {
			ours, theirs := net.Pipe()
			go func() {
				b.server.Serve(ctx, theirs, "192.0.2.1:1")
				done <- struct{}{}
			}()
			if i%2 == 0 {
				go ours.Close()
			} else {
				go io.Copy(io.Discard, ours)
			}
		}
		cancel()
		for range 4 {
			<-done
		}
	}
	if n := len(b.server.links.open); n != 0 {
		t.Errorf("%d contexts are still kept", n)
	}
}
