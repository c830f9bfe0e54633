package whole_test

import (
	"context"
	"fmt"
	"log"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"rollcall/adapters/device"
)

// BenchmarkLoginCPU tells how many logins the whole server sees through with one
// second of one processor: link, broker, log on disk, built-in service with a
// cheap password hash. 64 devices, in a process of their own, log in over and
// over, each in the place of its own last session.
func BenchmarkLoginCPU(b *testing.B) {
	h := newHouse(b, crowdAtOnce)
	devices := bear(b, h, 0, crowdAtOnce)[0]
	from, cpu := h.log.Last(), cpuTime(b)
	b.ResetTimer()
	devices.say(fmt.Sprint("again ", b.N))
	devices.await("done")
	b.StopTimer()
	took := cpuTime(b) - cpu
	b.ReportMetric(float64(b.N)/took.Seconds(), "logins/core-s")
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "logins/s")
	b.ReportMetric(float64(h.log.Last()-from)/float64(b.N), "events/login")
}

// crowdAtOnce is how many devices log in at the same time.
const crowdAtOnce = 64

// again has the devices log in so many times, together.
func (p *players) again(times string) {
	n, err := strconv.Atoi(times)
	if err != nil {
		log.Fatal(err)
	}
	gone, leave := context.WithCancel(context.Background())
	leave()
	var left atomic.Int64
	left.Store(int64(n))
	var all sync.WaitGroup
	for i, c := range p.clients {
		all.Go(func() {
			for left.Add(-1) >= 0 {
				session, err := c.Login(context.Background(), "im", p.names[i], password)
				if err != nil {
					log.Fatal(err)
				}
				_ = session.Run(gone, device.Handler{}) // closes the link
			}
		})
	}
	all.Wait()
	fmt.Println("done")
}
