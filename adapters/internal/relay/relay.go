package relay

import (
	"context"
	"io"
	"net"
	"time"
)

const (
	smallSize = 512
	burstSize = 32 << 10
	// burstStock is how many bursts run with a large buffer at the same time.
	burstStock = 256
	// writeTimeout is how long a receiver may take nothing before it is given up.
	writeTimeout = 30 * time.Second
)

// bursts holds the large buffers that are free; nil stands for one that has
// not been made yet.
var bursts = newStock()

func newStock() chan []byte {
	stock := make(chan []byte, burstStock)
	for range burstStock {
		stock <- nil
	}
	return stock
}

// Both copies from a to b and from b to a until both directions have ended, or
// one has failed, or ctx ends; then both connections are closed. The end of one
// direction is passed on as a half-close, after which the other one has linger
// to end too.
func Both(ctx context.Context, a, b net.Conn, linger time.Duration) {
	closeBoth := func() { a.Close(); b.Close() }
	defer closeBoth()
	defer context.AfterFunc(ctx, closeBoth)()
	done := make(chan struct{})
	go func() {
		defer close(done)
		oneWay(a, b, linger)
	}()
	oneWay(b, a, linger)
	<-done
}

// oneWay copies from src to dst. Its clean end is passed on and leaves the way
// back open for linger; anything else closes both.
func oneWay(dst, src net.Conn, linger time.Duration) {
	err := Copy(dst, src)
	if err == nil {
		err = closeWrite(dst)
	}
	if err != nil {
		dst.Close()
		src.Close()
		return
	}
	dst.SetReadDeadline(time.Now().Add(linger))
}

func closeWrite(c net.Conn) error {
	if half, ok := c.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return c.Close()
}

// Copy copies from src to dst until src ends, which gives nil, or either fails.
func Copy(dst, src net.Conn) error {
	small := make([]byte, smallSize)
	for {
		n, err := move(dst, src, small)
		if err == nil && n == len(small) {
			err = burst(dst, src)
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// burst copies with a large buffer, if there is one, until src has less to give
// than would fill it.
func burst(dst, src net.Conn) error {
	var buf []byte
	select {
	case buf = <-bursts:
	default:
		return nil
	}
	if buf == nil {
		buf = make([]byte, burstSize)
	}
	defer func() { bursts <- buf }()
	for {
		if n, err := move(dst, src, buf); err != nil || n < len(buf)/2 {
			return err
		}
	}
}

// move passes on what one read gives.
func move(dst, src net.Conn, buf []byte) (int, error) {
	n, err := src.Read(buf)
	if n == 0 {
		return 0, err
	}
	dst.SetWriteDeadline(time.Now().Add(writeTimeout))
	if _, werr := dst.Write(buf[:n]); werr != nil {
		return n, werr
	}
	return n, err
}
