package whole_test

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"testing"

	"rollcall/adapters/device"
	"rollcall/domain/broker"
)

// counted counts the bytes of a connection, without those of TCP and IP.
type counted struct {
	*net.TCPConn
	up, down *atomic.Int64
}

func (c counted) Read(b []byte) (int, error) {
	n, err := c.TCPConn.Read(b)
	c.down.Add(int64(n))
	return n, err
}

func (c counted) Write(b []byte) (int, error) {
	n, err := c.TCPConn.Write(b)
	c.up.Add(int64(n))
	return n, err
}

var errSeen = errors.New("seen")

// BenchmarkLoginBytes tells what a login takes on the wire: preamble, handshake,
// login, acceptance and an empty roster.
func BenchmarkLoginBytes(b *testing.B) {
	var up, down atomic.Int64
	h := newHouse(b, 1)
	crowd := join(b, h, 1, func(conn net.Conn) net.Conn { return counted{conn.(*net.TCPConn), &up, &down} })
	up.Store(0)
	down.Store(0)
	for b.Loop() {
		session := must(crowd.clients[0].Login(b.Context(), "im", name(0), password))(b)
		err := session.Run(context.Background(), device.Handler{State: func(broker.State) error { return errSeen }})
		if !errors.Is(err, errSeen) {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(up.Load())/float64(b.N), "B-up/login")
	b.ReportMetric(float64(down.Load())/float64(b.N), "B-down/login")
	b.ReportMetric(float64(up.Load()+down.Load())/float64(b.N), "B/login")
}
