package whole_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"rollcall/adapters/device"
	"rollcall/domain"
	"rollcall/domain/broker"
)

// quiet is a link to a device that takes everything.
type quiet struct{}

func (*quiet) Send(broker.ToDevice) error { return nil }
func (*quiet) Close()                     {}

// BenchmarkLogins has so many devices log in over and over, each time in the
// place of their own last session. A login is answered when it is durable: two
// commits, one in front of the upstream login and one behind it. Beside it stands
// what only writing the same events comes to, in a transaction each.
func BenchmarkLogins(b *testing.B) {
	for _, devices := range []int{1, 16, 256} {
		b.Run(fmt.Sprintf("way=broker/devices=%d", devices), func(b *testing.B) {
			h := newHouse(b, devices)
			ids := make([]domain.DeviceID, devices)
			for i := range ids {
				ids[i] = h.device(i)
			}
			h.measure(b, devices, func(i int) error {
				_, err := h.Login(b.Context(), broker.Login{Device: ids[i], Service: "im", Account: name(i), Password: password}, &quiet{})
				return err
			})
		})
		b.Run(fmt.Sprintf("way=link/devices=%d", devices), func(b *testing.B) {
			h := newHouse(b, devices)
			crowd := join(b, h, devices, nil)
			h.measure(b, devices, crowd.login)
		})
		b.Run(fmt.Sprintf("way=plain/devices=%d", devices), func(b *testing.B) { measurePlain(b, devices) })
	}
}

// measure divides b.N logins among so many devices.
func (h *house) measure(b *testing.B, devices int, login func(i int) error) {
	before := h.log.Last()
	var left atomic.Int64
	left.Store(int64(b.N))
	var all sync.WaitGroup
	b.ReportAllocs()
	b.ResetTimer()
	for i := range devices {
		all.Go(func() {
			for left.Add(-1) >= 0 {
				if err := login(i); err != nil {
					b.Error(err)
				}
			}
		})
	}
	all.Wait()
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "logins/s")
	b.ReportMetric(float64(h.log.Last()-before)/b.Elapsed().Seconds(), "events/s")
}

// crowd is devices with the device library, in this process.
type crowd struct {
	clients []*device.Client
	conns   []net.Conn // the last one of each
}

// join enrols so many devices over the link. dial may be nil.
func join(b *testing.B, h *house, devices int, dial func(net.Conn) net.Conn) *crowd {
	c := &crowd{make([]*device.Client, devices), make([]net.Conn, devices)}
	address, folder := h.listen(), identities(b)
	for i := range devices {
		options := device.Options{Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := new(net.Dialer).DialContext(ctx, network, address)
			if err == nil && dial != nil {
				conn = dial(conn)
			}
			c.conns[i] = conn
			return conn, err
		}}
		identity := must(device.Join(b.Context(), h.enrolment(i, address), filepath.Join(folder, name(i)), "bench", options))(b)
		b.Cleanup(func() { identity.Close() })
		c.clients[i] = device.NewClient(identity, options)
	}
	return c
}

// login logs a device in again, and leaves the link of its last session.
func (c *crowd) login(i int) error {
	last := c.conns[i]
	_, err := c.clients[i].Login(context.Background(), "im", name(i), password)
	last.Close()
	return err
}

// identities gives a folder for what devices keep: in memory where there is such
// a place, as it is not the devices' disks that are measured.
func identities(tb testing.TB) string {
	folder, err := os.MkdirTemp("/dev/shm", "rollcall-bench-")
	if err != nil {
		return tb.TempDir()
	}
	tb.Cleanup(func() { os.RemoveAll(folder) })
	return folder
}
