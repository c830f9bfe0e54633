package groupwise_test

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"testing"

	"rollcall/adapters/groupwise"
	"rollcall/adapters/groupwise/gwserver"
	"rollcall/domain/broker"
)

type discard struct{}

func (discard) Deliver(uint64, broker.UpstreamEvent) {}

func crowd(b *testing.B, n int) *double {
	return newDouble(b, func(c *gwserver.Config) {
		c.Users = nil
		for i := range n {
			u := gwserver.User{Name: fmt.Sprint("user", i), Password: "x"}
			for k := 1; k <= 10; k++ {
				u.Contacts = append(u.Contacts, gwserver.Entry{Person: fmt.Sprint("user", (i+k)%n)})
			}
			c.Users = append(c.Users, u)
		}
	})
}

// BenchmarkLogin logs one account in and out, TLS handshakes on both ends
// included.
func BenchmarkLogin(b *testing.B) {
	d := crowd(b, 11)
	c := groupwise.New()
	login := broker.UpstreamLogin{Settings: d.settings(), Account: "user1", Password: "x"}
	b.ReportAllocs()
	for b.Loop() {
		v, err := c.Login(context.Background(), login, discard{})
		if err != nil {
			b.Fatal(err)
		}
		if err := v.Logout(context.Background()); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "logins/s")
}

// BenchmarkThousandSessions logs 1,000 people in, sixteen at a time. What it
// reports is of both ends together: the double runs in the same process, and its
// end of a session is a TLS connection and a goroutine too.
func BenchmarkThousandSessions(b *testing.B) {
	const n = 1000
	d := crowd(b, n)
	c := groupwise.New()
	goroutines := runtime.NumGoroutine()
	for b.Loop() {
		b.StopTimer()
		for runtime.NumGoroutine() > goroutines {
			runtime.Gosched() // until the double has let go of the last crowd
		}
		before := inUse()
		b.StartTimer()
		all := make([]broker.Conversation, n)
		var logins sync.WaitGroup
		for k := range 16 {
			logins.Go(func() {
				for i := k; i < n; i += 16 {
					var err error
					login := broker.UpstreamLogin{Settings: d.settings(), Account: fmt.Sprint("user", i), Password: "x"}
					if all[i], err = c.Login(context.Background(), login, discard{}); err != nil {
						b.Error(err)
						return
					}
				}
			})
		}
		logins.Wait()
		if b.Failed() {
			b.FailNow()
		}
		b.StopTimer()
		for runtime.NumGoroutine() > goroutines+2*n {
			runtime.Gosched() // until what is told of the last one has been
		}
		b.ReportMetric(float64(runtime.NumGoroutine()-goroutines)/n, "goroutines/session")
		b.ReportMetric(float64(inUse()-before)/n, "B/session")
		for _, v := range all {
			if err := v.Logout(context.Background()); err != nil {
				b.Fatal(err)
			}
		}
		b.StartTimer()
	}
	b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "logins/s")
}

// inUse gives the bytes of heap and stacks in use.
func inUse() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse + m.StackInuse)
}
