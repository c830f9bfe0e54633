package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"
)

// matrix is how large the fault matrix is; `make torture` has the long form.
type matrix struct {
	talkers  int
	messages int // from each to each other
	step     int // between two places where a link is cut, in bytes
	upstream int // the same for connections to an upstream server
	deaths   int // at how many system calls the appliance is killed
}

func matrixSize() matrix {
	if os.Getenv("ROLLCALL_TORTURE") != "" {
		return matrix{talkers: 32, messages: 102, step: 16, upstream: 64, deaths: 240}
	}
	return matrix{talkers: 6, messages: 60, step: 480, upstream: 1500, deaths: 9}
}

// conversationOf is a house with talkers on one service, and what each is to hear.
type conversationOf struct {
	*house
	talkers []*talker
	want    map[*talker][]string
	total   int
	inPeace int // how many of the last messages go undisturbed
}

// converse makes talkers, each with messages for every other.
func converse(t *testing.T, h *house, service string, talkers, messages int) *conversationOf {
	t.Helper()
	c := &conversationOf{house: h, want: make(map[*talker][]string)}
	for i := range talkers {
		name := fmt.Sprintf("t%d", i)
		h.addUsers(name)
		c.talkers = append(c.talkers, newTalker(t, name, service, h.join(name, service+":"+name)))
	}
	for number := range messages {
		for _, from := range c.talkers {
			for _, to := range c.talkers {
				if from != to {
					c.want[to] = append(c.want[to], from.say(to.name, number))
					c.total++
				}
			}
		}
	}
	return c
}

// run lets everybody talk, with chaos beside it, until everything has been heard
// or nothing more is for a while.
func (c *conversationOf) run(t *testing.T, chaos func(ctx context.Context)) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var talking, breaking sync.WaitGroup
	for _, k := range c.talkers {
		talking.Go(func() {
			if err := k.run(ctx); err != nil {
				t.Error(err)
			}
		})
	}
	wild, calm := context.WithCancel(ctx)
	breaking.Go(func() { chaos(wild) })
	c.awaitHeard(t, c.total-c.inPeace)
	calm()
	breaking.Wait()
	c.awaitHeard(t, c.total)
	time.Sleep(200 * time.Millisecond) // for what would come twice
	cancel()
	talking.Wait()
	c.report(t)
}

// awaitHeard waits until so many messages have been heard, as long as some are.
func (c *conversationOf) awaitHeard(t *testing.T, want int) {
	t.Helper()
	for last, since := -1, time.Now(); ; {
		heard := c.heard()
		if heard >= want {
			return
		}
		if heard > last {
			last, since = heard, time.Now()
		}
		if time.Since(since) > patience {
			t.Errorf("%d of %d messages have been heard, and no more for %v", heard, want, patience)
			return
		}
		sleepFor(t.Context(), 20*time.Millisecond)
	}
}

func (c *conversationOf) heard() (n int) {
	for k, texts := range c.want {
		n += k.count(texts)
	}
	return n
}

// report tells which messages are missing. Those that came twice have been told.
func (c *conversationOf) report(t *testing.T) {
	t.Helper()
	refused, links := 0, 0
	for k, texts := range c.want {
		if heard := k.count(texts); heard != len(texts) {
			t.Errorf("%s heard %d of %d messages", k.name, heard, len(texts))
		}
		refused += k.refused
		links += k.resumes
	}
	t.Logf("%d messages, each once; %d links, %d sends refused and sent again", c.total, links, refused)
}

// TestMessagesArriveOnce has devices write to each other while their links are cut
// and the appliance is killed, again and again: every message arrives, once.
func TestMessagesArriveOnce(t *testing.T) {
	size := matrixSize()
	h := newHouse(t)
	h.rollcall("service", "set", "office", "--kind", "local")
	h.open()
	c := converse(t, h, "office", size.talkers, size.messages)
	c.inPeace = c.total / 10
	kills := 0
	c.run(t, func(ctx context.Context) {
		for ctx.Err() == nil {
			for range 10 {
				pick(c.talkers).links.cutAll()
				sleepFor(ctx, time.Duration(10+rand.IntN(60))*time.Millisecond)
			}
			h.serve.kill()
			kills++
			h.open()
		}
	})
	t.Logf("the appliance was killed %d times", kills)
	h.shut()
}

// TestLinkCutAtEveryByte cuts the link of a device in the middle of its login, of
// its first messages and of its resume, after each number of bytes in each
// direction: every message arrives, once.
func TestLinkCutAtEveryByte(t *testing.T) {
	size := matrixSize()
	h := newHouse(t)
	h.rollcall("service", "set", "office", "--kind", "local")
	h.open()
	c := converse(t, h, "office", 2, 0)
	for after := 0; after < 2400; after += size.step {
		for _, received := range []bool{false, true} {
			at := cut{after + rand.IntN(size.step), received}
			c.exchange(t, []cut{at, at}, func(context.Context) {})
			if t.Failed() {
				t.Fatalf("with the link cut after %d bytes (received: %v)", after, received)
			}
		}
	}
	h.shut()
}

// exchange has the two exchange ten messages each way; cuts are where the first
// links of each break.
func (c *conversationOf) exchange(t *testing.T, cuts []cut, chaos func(context.Context)) {
	t.Helper()
	round := &conversationOf{house: c.house, want: make(map[*talker][]string)}
	for _, k := range c.talkers {
		again := newTalker(t, k.name, k.service, k.identity)
		again.links.budget = slices.Clone(cuts)
		round.talkers = append(round.talkers, again)
	}
	for number := range 10 {
		for i, from := range round.talkers {
			to := round.talkers[1-i]
			round.want[to] = append(round.want[to], from.say(to.name, number))
			round.total++
		}
	}
	round.run(t, chaos)
}

// fatal are the system calls at which the appliance is killed: before it writes
// to the log, before that is on the disk, and before an answer goes out.
var fatal = []string{"pwrite64", "fdatasync", "write"}

// TestApplianceKilledAtEveryStep kills the appliance at one system call after the
// other, while devices log in and write: nothing that was answered is missing, and
// every message arrives, once.
func TestApplianceKilledAtEveryStep(t *testing.T) {
	requireStrace(t)
	size := matrixSize()
	h := newHouse(t)
	h.rollcall("service", "set", "office", "--kind", "local")
	h.open()
	c := converse(t, h, "office", 2, 0)
	deaths := 0
	for when := range size.deaths {
		call, at := fatal[when%len(fatal)], 1+when/len(fatal)%12
		killer := killAt(t, h.serve, call, at)
		c.exchange(t, nil, func(ctx context.Context) {
			select {
			case <-h.serve.over:
				deaths++
				h.open()
			case <-ctx.Done():
			}
		})
		killer.kill()
		if t.Failed() {
			t.Fatalf("killed at %s number %d", call, at)
		}
	}
	t.Logf("the appliance died in %d of %d rounds", deaths, size.deaths)
	if deaths < size.deaths/3 {
		t.Error("that is too seldom to show anything")
	}
	h.shut()
}

// killAt has a running process killed when one of its threads makes a system call
// for the nth time from now on.
func killAt(t *testing.T, p *process, call string, n int) *process {
	t.Helper()
	killer := startAs(t, nil, "strace", "strace", "-f", "-o", "/dev/null", "-p", strconv.Itoa(p.cmd.Process.Pid),
		"-e", "trace="+call, "-e", fmt.Sprintf("inject=%s:signal=KILL:when=%d", call, n))
	killer.await(`attached`)
	return killer
}

// requireStrace fails or skips where strace is not installed.
func requireStrace(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("strace"); err == nil {
		return
	}
	if os.Getenv("ROLLCALL_REQUIRE_PEERS") == "1" {
		t.Fatal("strace is not installed, and ROLLCALL_REQUIRE_PEERS=1 asks for it")
	}
	t.Skip("strace is not installed")
}
