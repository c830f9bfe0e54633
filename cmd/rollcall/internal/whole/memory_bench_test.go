package whole_test

import (
	"bufio"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"rollcall/domain"
	"rollcall/domain/broker"
)

// BenchmarkIdleSessions tells what an idle session costs this process and the
// kernel. With way=broker there are no links; with way=link the devices are in
// processes of their own, and each session has a link over loopback. With
// xmpp and xmpp-tls it also has a connection to an XMPP server in another
// process, in the clear or over TLS.
func BenchmarkIdleSessions(b *testing.B) {
	b.Run("way=broker/upstream=local", func(b *testing.B) {
		for b.Loop() {
			idleWithoutLinks(b, 18_000)
		}
	})
	for _, c := range []struct {
		upstream string
		sessions int
		settings func(b *testing.B, people int) domain.Settings
	}{
		{"local", 18_000, nil},
		{"xmpp", 9_000, func(b *testing.B, people int) domain.Settings { return bearXMPP(b, people, false) }},
		{"xmpp-tls", 9_000, func(b *testing.B, people int) domain.Settings { return bearXMPP(b, people, true) }},
	} {
		b.Run("way=link/upstream="+c.upstream, func(b *testing.B) {
			for b.Loop() {
				h := newHouse(b, c.sessions)
				settings := domain.Settings{Kind: domain.KindLocal, Options: map[string]string{"roster": "nobody"}, ProtocolTotal: domain.Some(uint32(c.sessions))}
				if c.settings != nil {
					check(b, h.RemoveService(b.Context(), "im"))
					settings = c.settings(b, c.sessions)
				}
				must(h.ConfigureService(b.Context(), "im", settings))(b)
				idleWithLinks(b, h, c.sessions)
			}
		})
	}
}

func idleWithLinks(b *testing.B, h *house, sessions int) {
	crowds := bear(b, h, 0, sessions)
	before := footprint(b)
	for _, c := range crowds {
		c.say("login")
	}
	for _, c := range crowds {
		c.await("idle")
	}
	report(b, before, sessions)
	for _, c := range crowds {
		c.release()
	}
}

func idleWithoutLinks(b *testing.B, sessions int) {
	h := newHouse(b, sessions)
	settings := domain.Settings{Kind: domain.KindLocal, Options: map[string]string{"roster": "nobody"}, ProtocolTotal: domain.Some(uint32(sessions))}
	must(h.ConfigureService(b.Context(), "im", settings))(b)
	logins := make([]broker.Login, sessions)
	for i := range logins {
		logins[i] = broker.Login{Device: h.device(i), Service: "im", Account: name(i), Password: password}
	}
	before := footprint(b)
	var all sync.WaitGroup
	kept := make([]broker.Session, sessions)
	for part := range 64 {
		all.Go(func() {
			for i := part; i < sessions; i += 64 {
				kept[i] = idle(b, h, logins[i])
			}
		})
	}
	all.Wait()
	report(b, before, sessions)
	runtime.KeepAlive(kept)
}

// idle logs in and acknowledges the roster.
func idle(b *testing.B, h *house, login broker.Login) broker.Session {
	session, err := h.Login(b.Context(), login, &quiet{})
	if err == nil {
		err = session.Receive(b.Context(), broker.Ack{Number: 1})
	}
	if err != nil {
		b.Error(err)
	}
	return session
}

// usage is what this process takes, and what the kernel takes for all, in bytes.
type usage struct {
	heap, stack, resident int64
	buffers, slabs        int64
	goroutines            int
}

// settle waits until what is on its way has arrived, and goroutines have ended.
func settle() { time.Sleep(3 * time.Second) }

// footprint collects garbage first: the least this process can do with.
func footprint(b *testing.B) usage {
	settle()
	debug.FreeOSMemory()
	return measure(b)
}

func measure(b *testing.B) usage {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return usage{int64(m.HeapAlloc), int64(m.StackInuse), resident(b), socketBuffers(b), slabs(b), runtime.NumGoroutine()}
}

// resident gives the resident set of this process.
func resident(b *testing.B) int64 {
	fields := strings.Fields(string(must(os.ReadFile("/proc/self/statm"))(b)))
	pages := must(strconv.ParseInt(fields[1], 10, 64))(b)
	return pages * int64(os.Getpagesize())
}

// socketBuffers gives what the kernel holds for all TCP sockets of the machine.
func socketBuffers(b *testing.B) int64 {
	for line := range strings.Lines(string(must(os.ReadFile("/proc/net/sockstat"))(b))) {
		if fields := strings.Fields(line); fields[0] == "TCP:" {
			return must(strconv.ParseInt(fields[len(fields)-1], 10, 64))(b) * int64(os.Getpagesize())
		}
	}
	return 0
}

// slabs gives what the kernel's own objects take, sockets, files and the rest;
// zero where it may not be read.
func slabs(b *testing.B) (bytes int64) {
	file, err := os.Open("/proc/slabinfo")
	if err != nil {
		return 0
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) < 4 || fields[0] == "#" || fields[0] == "slabinfo" {
			continue
		}
		bytes += must(strconv.ParseInt(fields[1], 10, 64))(b) * must(strconv.ParseInt(fields[3], 10, 64))(b)
	}
	return bytes
}

// report tells what each session takes more than there was before: as it is after
// the logins, and as it is once garbage has been collected.
func report(b *testing.B, before usage, sessions int) {
	settle()
	now, least := measure(b), footprint(b)
	each := func(n int64) float64 { return float64(n) / float64(sessions) }
	b.ReportMetric(each(now.resident-before.resident), "resident-B/session")
	b.ReportMetric(each(least.resident-before.resident), "resident-collected-B/session")
	b.ReportMetric(each(least.heap-before.heap), "heap-B/session")
	b.ReportMetric(each(least.stack-before.stack), "stack-B/session")
	b.ReportMetric(each(now.buffers-before.buffers), "kernel-buffers-B/session")
	b.ReportMetric(each(now.slabs-before.slabs), "kernel-slabs-B/session")
	b.ReportMetric(each(int64(least.goroutines-before.goroutines)), "goroutines/session")
	b.ReportMetric(0, "ns/op")
}
