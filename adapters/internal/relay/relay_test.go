package relay_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"rollcall/adapters/internal/relay"
)

func TestEveryByteInOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pieces := rapid.SliceOfN(rapid.SliceOfN(rapid.Byte(), 0, 70_000), 0, 6).Draw(t, "pieces")
		in, src := net.Pipe()
		dst, out := net.Pipe()
		copied := make(chan error, 1)
		go func() { copied <- relay.Copy(dst, src); dst.Close() }()
		go func() {
			for _, p := range pieces {
				in.Write(p)
			}
			in.Close()
		}()
		got, err := io.ReadAll(out)
		if want := bytes.Join(pieces, nil); err != nil || !bytes.Equal(got, want) {
			t.Errorf("got %d bytes, %v, want the %d sent", len(got), err, len(want))
		}
		if err := <-copied; err != nil {
			t.Errorf("Copy = %v", err)
		}
	})
}

// pair relays between two pipes and gives the outer ends.
func pair(t *testing.T, linger time.Duration) (a, b net.Conn, stop func(), over chan struct{}) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	a, inA := net.Pipe()
	b, inB := net.Pipe()
	over = make(chan struct{})
	go func() { defer close(over); relay.Both(ctx, halfCloser{inA}, halfCloser{inB}, linger) }()
	t.Cleanup(func() { cancel(); a.Close(); b.Close(); <-over })
	return a, b, cancel, over
}

// halfCloser is a pipe that takes a half-close and does nothing about it.
type halfCloser struct{ net.Conn }

func (halfCloser) CloseWrite() error { return nil }

func TestContextEndsBoth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b, stop, over := pair(t, time.Minute)
		stop()
		<-over
		for _, c := range []net.Conn{a, b} {
			if _, err := c.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
				t.Errorf("Read = %v, want the end", err)
			}
		}
	})
}

func TestLinger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, _, _, over := pair(t, 20*time.Second) // the other stays open and silent
		begun := time.Now()
		a.Close()
		<-over
		if took := time.Since(begun); took != 20*time.Second {
			t.Errorf("the second direction was given up after %v, want 20s", took)
		}
	})
}

func TestReceiverThatTakesNothingIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, _, _, over := pair(t, time.Minute)
		begun := time.Now()
		a.Write([]byte("nobody reads this"))
		<-over
		if took := time.Since(begun); took != 30*time.Second {
			t.Errorf("given up after %v, want 30s", took)
		}
	})
}
