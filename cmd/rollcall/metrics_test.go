package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"rollcall/adapters/device"
	"rollcall/adapters/router"
	"rollcall/domain"
	"rollcall/domain/broker"
)

// numbers are what /metrics tells, by name and labels.
type numbers map[string]float64

func readNumbers(t *testing.T, page io.Reader) numbers {
	t.Helper()
	n := make(numbers)
	for lines := bufio.NewScanner(page); lines.Scan(); {
		i := strings.LastIndexByte(lines.Text(), ' ')
		if !strings.HasPrefix(lines.Text(), "rollcall_") {
			continue
		}
		value, err := strconv.ParseFloat(lines.Text()[i+1:], 64)
		check(t, err)
		n[lines.Text()[:i]] = value
	}
	return n
}

// toldBy collects what a function tells.
type toldBy func(teller)

func (toldBy) Describe(chan<- *prometheus.Desc) {} // unchecked

func (f toldBy) Collect(to chan<- prometheus.Metric) { f(to) }

func collect(t *testing.T, f toldBy) numbers {
	t.Helper()
	registry := prometheus.NewRegistry()
	registry.MustRegister(f)
	page := httptest.NewRecorder()
	promhttp.HandlerFor(registry, promhttp.HandlerOpts{ErrorHandling: promhttp.HTTPErrorOnError}).ServeHTTP(page, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if page.Code != http.StatusOK {
		t.Fatal(page.Body)
	}
	return readNumbers(t, page.Body)
}

// count gives every number in v a value of its own, from next on.
func count(v reflect.Value, next *uint64) {
	switch v.Kind() {
	case reflect.Struct:
		for _, field := range v.Fields() {
			count(field, next)
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		count(v.Elem(), next)
	case reflect.Uint64:
		*next++
		v.SetUint(*next)
	case reflect.Int, reflect.Int64:
		*next++
		v.SetInt(int64(*next))
	}
}

// TestEveryCountIsTold gives each count of each part a value of its own: all of
// them must be on the page.
func TestEveryCountIsTold(t *testing.T) {
	next := uint64(1000)
	links, doors := device.Stats{}, router.Stats{Refused: map[string]uint64{"full; add another": 900, "full; add a third": 60}}
	session := broker.Stats{Rejected: make(map[domain.RejectCode]uint64), Ended: make(map[domain.EndCause]uint64)}
	for _, stats := range []any{&links, &doors, &session} {
		count(reflect.ValueOf(stats).Elem(), &next)
	}
	for code := domain.RejectUnknownService; code <= domain.RejectInterrupted; code++ {
		next++
		session.Rejected[code] = next
	}
	for cause := domain.EndLogout; cause <= domain.EndResumeFailed; cause++ {
		next++
		session.Ended[cause] = next
	}
	queues := make(map[domain.ServiceName]time.Duration)
	for _, service := range []domain.ServiceName{"im", "office"} {
		next++
		queues[service] = time.Duration(next) * time.Second
	}
	got := collect(t, func(to teller) { to.links(links); to.router(doors); to.broker(session); to.queues(queues) })
	for want := uint64(1001); want <= next; want++ {
		found := 0
		for _, n := range got {
			if n == float64(want) {
				found++
			}
		}
		if found == 0 {
			t.Errorf("the count that was %d is not told, or another one in its place: %+v %+v %+v", want, links, doors, session)
		}
	}
	if n := got[`rollcall_connections_refused_total{reason="full"}`]; n != 960 {
		t.Errorf("refused by reason: %v, want 960 without the advice", n)
	}
}

// TestMetricsAreDocumented holds docs/operating.md to the metrics there are.
func TestMetricsAreDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/operating.md")
	check(t, err)
	var documented, there []string
	for _, row := range regexp.MustCompile("(?m)^\\| `(rollcall_[a-z_]+)").FindAllStringSubmatch(string(page), -1) {
		documented = append(documented, row[1])
	}
	for _, d := range allMetrics {
		there = append(there, regexp.MustCompile(`rollcall_[a-z_]+`).FindString(d.String()))
	}
	slices.Sort(documented)
	slices.Sort(there)
	if !slices.Equal(slices.Compact(documented), there) {
		t.Errorf("docs/operating.md has a row for\n%v\nand there are\n%v", documented, there)
	}
}

// TestDefencesMoveTheirNumbers provokes defences of a running appliance, one
// after the other, and looks at its page.
func TestDefencesMoveTheirNumbers(t *testing.T) {
	h := newHouse(t)
	h.addUsers("ann", "bob")
	h.open("--metrics", "127.0.0.1:0")
	page := "http://" + h.serve.await(`rollcall is ready.* metrics=(\S+)`)[1] + "/metrics"
	h.rollcall("service", "set", "im", "--kind", "local", "--max-sessions", "1")
	ann, bob := h.join("ann", "im:ann"), h.join("bob", "im:bob")
	scrape := func() numbers {
		answer, err := http.Get(page)
		check(t, err)
		defer answer.Body.Close()
		return readNumbers(t, answer.Body)
	}
	stranger := func(says string) {
		conn, err := net.Dial("tcp", h.address)
		check(t, err)
		_, _ = io.WriteString(conn, says) // it may be closed already
		_, _ = io.Copy(io.Discard, conn)
		conn.Close()
	}
	var anns clientProcess
	for _, c := range []struct {
		number  string
		provoke func()
	}{
		{`rollcall_logins_total{outcome="accepted"}`, func() {
			anns = h.login(ann, "im", "ann")
			anns.accepted()
		}},
		{`rollcall_busy_queue_seconds{service="im"}`, func() { h.login(bob, "im", "bob").wantExit(exitBusy) }},
		{`rollcall_logins_total{outcome="server-busy"}`, func() { h.login(bob, "im", "bob").wantExit(exitBusy) }},
		{`rollcall_links_total{kind="garbage"}`, func() { stranger(strings.Repeat("GET / HTTP/1.1\r\n", 9)) }},
		{`rollcall_sessions_ended_total{cause="idled-out"}`, func() {
			h.rollcall("service", "set", "im", "--kind", "local", "--idle-timeout", "1s")
			anns.kill()
			check(t, eventually(t.Context(), func() error {
				p := h.login(bob, "im", "bob")
				if strings.Contains(p.await(`"event":"(accepted|rejected)"`)[1], "accepted") {
					return nil
				}
				return errors.New("the house is still full")
			}))
		}},
		{`rollcall_log_commit_seconds_count`, func() { h.rollcall("service", "unset", "im", "idle-timeout") }},
		{`rollcall_connections_refused_total{reason="too many new connections from one address"}`, func() {
			for range 600 {
				if conn, err := net.Dial("tcp", h.address); err == nil {
					conn.Close()
				}
			}
		}},
	} {
		before := scrape()[c.number]
		c.provoke()
		check(t, eventually(t.Context(), func() error {
			if after := scrape()[c.number]; after <= before {
				return fmt.Errorf("%s is %v, and was %v before", c.number, after, before)
			}
			return nil
		}))
	}
}
