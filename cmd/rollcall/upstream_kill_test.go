package main

import (
	"context"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"rollcall/adapters/xmpp/xmpptest"
)

// TestUpstreamKilledUnderLoad kills an XMPP server with SIGKILL while people log in
// and write to each other, again and again. Every login and session that this ends is
// ended with an answer, and whoever logs in again finds every message: once, and
// those that the server had not taken, too. What it had taken and handed to nobody is
// lost with it, as it would be to any client.
func TestUpstreamKilledUnderLoad(t *testing.T) {
	for name, resume := range map[string]string{"streams that end": "off", "streams that are resumed": "on"} {
		t.Run(name, func(t *testing.T) { killUpstream(t, resume) })
	}
}

func killUpstream(t *testing.T, resume string) {
	size := matrixSize()
	names := []string{"t0", "t1", "t2", "t3"}
	server := xmpptest.StartProsody(t, xmpptest.Users(names...), xmpptest.InTheClear)
	front := newBreaker(t, server.Addr)
	h := newHouse(t)
	h.rollcall("service", "set", "chat", "--kind", "xmpp", "--address", front.addr(),
		"--option", "domain="+xmpptest.Domain, "--option", "tls=none-for-loopback-tests-only", "--option", "resume="+resume)
	h.open()
	c := &conversationOf{house: h, want: make(map[*talker][]string)}
	for _, user := range names {
		account := user + "@" + xmpptest.Domain
		k := newTalker(t, account, "chat", h.join(user, "chat:"+account))
		k.comesBack = true
		c.talkers = append(c.talkers, k)
	}
	c.say(15 * size.kills) // which takes longer than the kills
	c.perished = func(text string) bool { return c.taken(text) && !front.handedOn(text) }
	kills := 0
	c.run(t, func(ctx context.Context) {
		for ; kills < size.kills && ctx.Err() == nil; kills += 2 {
			c.await(ctx, func(k *talker) bool { return k.live.Load() })
			sleepFor(ctx, rand.N(150*time.Millisecond))
			before := c.endings()
			server.Kill(t)
			server.Start(t)
			// And again while they log in: a stream that was to be resumed is not any more.
			c.await(ctx, func(k *talker) bool { return k.endings.Load() > before[k] })
			sleepFor(ctx, rand.N(50*time.Millisecond))
			server.Kill(t)
			sleepFor(ctx, rand.N(200*time.Millisecond))
			server.Start(t)
		}
	})
	c.checkEndings(t, kills)
	h.shut()
}

// await waits until something holds for everybody.
func (c *conversationOf) await(ctx context.Context, holds func(*talker) bool) {
	for ctx.Err() == nil && slices.ContainsFunc(c.talkers, func(k *talker) bool { return !holds(k) }) {
		sleepFor(ctx, time.Millisecond)
	}
}

// endings gives how many sessions of each upstream has ended.
func (c *conversationOf) endings() map[*talker]int32 {
	endings := make(map[*talker]int32)
	for _, k := range c.talkers {
		endings[k] = k.endings.Load()
	}
	return endings
}

// taken tells whether the server had a message, by what its sender was told.
func (c *conversationOf) taken(text string) bool {
	return slices.ContainsFunc(c.talkers, func(k *talker) bool {
		k.mu.Lock()
		defer k.mu.Unlock()
		return k.taken[text]
	})
}

// checkEndings tells whether the kills met with sessions and logins, and each of
// these was told why it came to nothing.
func (c *conversationOf) checkEndings(t *testing.T, kills int) {
	t.Helper()
	endings, away := 0, 0
	for _, k := range c.talkers {
		endings, away = endings+int(k.endings.Load()), away+k.away
		if k.unsaid > 0 {
			t.Errorf("%s had %d logins that ended without an answer", k.name, k.unsaid)
		}
	}
	t.Logf("the server was killed %d times; it ended %d sessions and refused %d logins; it took %d messages with it", kills, endings, away, c.lost())
	if kills < matrixSize().kills/2 || endings < kills/2*len(c.talkers) || away == 0 {
		t.Error("that is too little to show anything")
	}
}
