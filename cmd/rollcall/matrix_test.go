package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
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
	kills    int // how often an upstream server is killed
}

func matrixSize() matrix {
	if os.Getenv("ROLLCALL_TORTURE") != "" {
		return matrix{talkers: 32, messages: 102, step: 16, upstream: 64, deaths: 240, kills: 60}
	}
	return matrix{talkers: 6, messages: 60, step: 220, upstream: 1500, deaths: 9, kills: 4}
}

// conversationOf is a house with talkers on one service, and what each is to hear.
type conversationOf struct {
	*house
	talkers []*talker
	want    map[*talker][]string
	total   int
	inPeace int // how many of the last messages go undisturbed
	// perished, if set, tells of a message that it was lost with an upstream server
	// which had taken it.
	perished func(text string) bool
	told     *witness // of logins; may be nil
	ordered  bool     // what one sends to another is heard in that order
}

// converse makes talkers, each with messages for every other.
func converse(t *testing.T, h *house, service string, talkers, messages int) *conversationOf {
	t.Helper()
	return converseAs(t, h, "t", service, talkers, messages)
}

// converseAs is converse with what the talkers' names begin with.
func converseAs(t *testing.T, h *house, prefix, service string, talkers, messages int) *conversationOf {
	t.Helper()
	c := &conversationOf{house: h, want: make(map[*talker][]string), ordered: true}
	for i := range talkers {
		name := fmt.Sprint(prefix, i)
		h.addUsers(name)
		c.talkers = append(c.talkers, newTalker(t, name, service, h.join(name, service+":"+name)))
	}
	c.say(messages)
	return c
}

// say queues messages for every talker from every other.
func (c *conversationOf) say(messages int) {
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
	c.awaitAnswered(t)
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
			if lost := c.lost(); heard+lost < want {
				t.Errorf("%d of %d messages have been heard, %d were lost upstream, and no more came for %v", heard, want, lost, patience)
			}
			return
		}
		sleepFor(t.Context(), 20*time.Millisecond)
	}
}

// awaitAnswered waits until no device waits for an answer any more: it would ask
// again in its next session.
func (c *conversationOf) awaitAnswered(t *testing.T) {
	t.Helper()
	for since := time.Now(); ; sleepFor(t.Context(), 5*time.Millisecond) {
		waiting := 0
		for k := range c.want {
			waiting += k.waiting()
		}
		if waiting == 0 {
			return
		}
		if time.Since(since) > patience {
			t.Errorf("%d messages have been heard, and not been answered for %v", waiting, patience)
			return
		}
	}
}

func (c *conversationOf) heard() (n int) {
	for k, texts := range c.want {
		n += k.count(texts)
	}
	return n
}

// lost gives how many messages have perished.
func (c *conversationOf) lost() (n int) {
	for k, texts := range c.want {
		n += c.lostTo(k, texts)
	}
	return n
}

// lostTo gives how many messages to somebody have.
func (c *conversationOf) lostTo(to *talker, texts []string) (n int) {
	if c.perished == nil {
		return 0
	}
	for _, text := range texts {
		if to.count([]string{text}) == 0 && c.perished(text) {
			n++
		}
	}
	return n
}

// report tells which messages are missing. Those that came twice have been told.
func (c *conversationOf) report(t *testing.T) {
	t.Helper()
	refused, links := 0, 0
	for k, texts := range c.want {
		if heard, lost := k.count(texts), c.lostTo(k, texts); heard+lost != len(texts) {
			t.Errorf("%s heard %d of %d messages, and %d were lost upstream", k.name, heard, len(texts), lost)
		}
		if c.ordered {
			c.checkOrder(t, k)
		}
		refused += k.refused
		links += k.resumes
	}
	t.Logf("%d messages, each once; %d links, %d sends refused and sent again", c.total, links, refused)
}

// checkOrder tells where somebody heard a later message of a sender before an earlier
// one. One that was refused went again, behind others.
func (c *conversationOf) checkOrder(t *testing.T, to *talker) {
	t.Helper()
	places := to.places()
	senders := make(map[string]*talker)
	for _, k := range c.talkers {
		senders[k.name] = k
	}
	last := make(map[string]int)
	for _, text := range c.want[to] {
		from, _, _ := strings.Cut(text, " to ")
		place, heard := places[text]
		if !heard || senders[from].wasRefused(text) {
			continue
		}
		if place < last[from] {
			t.Errorf("%s heard %q behind a later one", to.name, text)
		}
		last[from] = max(last[from], place)
	}
}

// TestMessagesArriveOnce has devices write to each other while their links are cut
// and the appliance is killed, again and again: every message arrives, once, and
// behind what its sender wrote before.
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

// linkWays are the directions in which links break, and how much a link carries at
// least until everything has been said.
var linkWays = []struct {
	received bool
	carries  int
}{{false, 1100}, {true, 1300}}

// TestLinkCutAtEveryByte cuts the link of a device in the middle of its login, of
// its first messages and of its resume, after each number of bytes in each
// direction: every message arrives, once.
func TestLinkCutAtEveryByte(t *testing.T) {
	step := matrixSize().step
	var places []cut
	for _, way := range linkWays {
		for after := 0; after < way.carries; after += step {
			places = append(places, cut{min(after+rand.IntN(step), way.carries), way.received})
		}
	}
	cutLinks(t, places, func(c *conversationOf, at cut) {
		if talkers := c.exchange(t, []cut{at, at}, func(context.Context) {}); hits(talkers) == 0 {
			t.Error("no link broke")
		}
	})
}

// freshDevices is after how many rounds a test takes new devices: an older one has
// logged in and resumed so often that it is held back.
const freshDevices = 6

// cutLinks does something with a pair of devices for each place at which a link is
// to break.
func cutLinks(t *testing.T, places []cut, do func(c *conversationOf, at cut)) {
	t.Helper()
	h := newHouse(t)
	h.rollcall("service", "set", "office", "--kind", "local")
	h.open()
	var c *conversationOf
	for round, at := range places {
		if round%freshDevices == 0 {
			c = converseAs(t, h, fmt.Sprintf("r%d-", round), "office", 2, 0)
		}
		if do(c, at); t.Failed() {
			t.Fatalf("with the links cut at %+v", at)
		}
	}
	h.shut()
}

// hits gives how many links have broken at the end of their budget.
func hits(talkers []*talker) (n int) {
	for _, k := range talkers {
		n += k.links.hits()
	}
	return n
}

// resumeOpening are the ends of the messages of a resume's opening, in bytes from
// the start of the link: the preamble, the handshake and the resume itself.
var resumeOpening = []cut{
	{0, false}, {16, false}, {64, false}, {66, false}, {386, false},
	{0, true}, {48, true}, {50, true}, {194, true},
}

// resumeCuts are where the opening of a resume breaks: at each end of a message in
// the short form; in the long one after every few bytes, beyond the opening too.
func resumeCuts() []cut {
	if os.Getenv("ROLLCALL_TORTURE") == "" {
		return resumeOpening
	}
	cuts := slices.Clone(resumeOpening)
	for after := 0; after <= 480; after += 8 {
		cuts = append(cuts, cut{after, false}, cut{after, true})
	}
	return cuts
}

// TestResumeCutAtEveryByte cuts the link of a device in its messages, and the next
// one in the opening of its resume: every message arrives, once.
func TestResumeCutAtEveryByte(t *testing.T) {
	cutLinks(t, resumeCuts(), func(c *conversationOf, at cut) {
		talkers := c.exchange(t, []cut{{700, false}, at}, func(context.Context) {})
		if got := hits(talkers); got != 4 {
			t.Errorf("%d links broke, want two of each device", got)
		}
		checkResumed(t, talkers)
	})
}

// exchange has the two exchange ten messages each way; cuts are where the first
// links of each break. It gives the talkers as they were at the end.
func (c *conversationOf) exchange(t *testing.T, cuts []cut, chaos func(context.Context)) []*talker {
	t.Helper()
	round := &conversationOf{house: c.house, want: make(map[*talker][]string), ordered: c.ordered}
	for _, k := range c.talkers {
		again := newTalker(t, k.name, k.service, k.identity)
		again.links.budget = slices.Clone(cuts)
		again.told = c.told
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
	return round.talkers
}

// fatal are the system calls at which the appliance is killed: before it writes
// to the log or the inbox, before that is on the disk, and before an answer goes out.
var fatal = []string{"pwrite64", "fdatasync", "write"}

// TestApplianceKilledAtEveryStep kills the appliance at the first calls of each kind,
// one after the other, while devices log in and write: no login that was answered is
// missing in the log, and every message arrives, once.
func TestApplianceKilledAtEveryStep(t *testing.T) {
	requireStrace(t)
	size := matrixSize()
	h := newHouse(t)
	h.rollcall("service", "set", "office", "--kind", "local")
	h.open()
	c := converse(t, h, "office", 2, 0)
	c.told = newWitness()
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
		c.told.verify(t, h.operator())
		if t.Failed() {
			t.Fatalf("killed at %s number %d", call, at)
		}
	}
	t.Logf("the appliance died in %d of %d rounds", deaths, size.deaths)
	if deaths < size.deaths*2/3 {
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
