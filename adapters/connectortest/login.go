package connectortest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"rollcall/domain"
	"rollcall/domain/broker"
)

func checkTakes(c *trial) {
	if got := c.Connector.Kind(); got != c.Settings.Kind {
		c.Errorf("Kind() = %q, want %q as in the settings", got, c.Settings.Kind)
	}
	if err := c.Connector.Check(c.Settings); err != nil {
		c.Errorf("Check(%+v) = %v, want no error", c.Settings, err)
	}
	if n, set := c.Connector.Total().Get(); set && n == 0 {
		c.Error("Total() = 0, want unset where the protocol has no total")
	}
}

func checkRefuses(c *trial) {
	if len(c.Refused) == 0 {
		c.Skip("the harness names no settings to refuse")
	}
	for setting, settings := range c.Refused {
		err := c.Connector.Check(settings)
		var e *domain.SettingError
		switch {
		case !errors.As(err, &e):
			c.Errorf("Check(bad %s) = %v, want a *domain.SettingError", setting, err)
		case e.Setting != setting:
			c.Errorf("Check(bad %s) blames %q: %v", setting, e.Setting, err)
		case e.Problem == "" || e.Next == "":
			c.Errorf("Check(bad %s) = %+v, want the problem and what to do next", setting, *e)
		}
	}
}

func loginSucceeds(c *trial) {
	s := c.login(c.People[0])
	s.sink.await(c.T, "the roster", hasType[broker.RosterReceived])
}

// wrongPassword looks for the password in everything that the error can show.
func wrongPassword(c *trial) {
	p := c.People[0]
	p.Password = "not-this-one-5Zt8"
	err := c.refused(c.Settings, p, domain.RejectBadCredentials)
	for ; err != nil; err = errors.Unwrap(err) {
		if text := fmt.Sprintf("%v %+v %#v", err, err, err); strings.Contains(text, p.Password) {
			c.Errorf("the error of a wrong password holds the password: %s", text)
		}
	}
	c.login(c.People[0]) // a refusal must not keep the right password out
}

func unknownAccount(c *trial) {
	p := c.People[0]
	p.Account = strings.Replace(p.Account, localPart(p.Account), "nobody-of-that-name", 1)
	c.refused(c.Settings, p, domain.RejectBadCredentials)
}

// localPart gives what stands in front of the first @, if there is one.
func localPart(account string) string {
	local, _, _ := strings.Cut(account, "@")
	return local
}

// refused logs in, which must fail with the given code.
func (c *trial) refused(settings domain.Settings, p Person, code domain.RejectCode) error {
	c.Helper()
	ctx, cancel := c.ctx()
	defer cancel()
	return c.refusedWithin(ctx, settings, p, code)
}

func (c *trial) refusedWithin(ctx context.Context, settings domain.Settings, p Person, code domain.RejectCode) error {
	c.Helper()
	_, err := c.try(ctx, settings, p)
	var e *broker.UpstreamError
	switch {
	case !errors.As(err, &e):
		c.Fatalf("Login(%s) = %v, want a *broker.UpstreamError with %v", p.Account, err, code)
	case e.Code != code:
		c.Errorf("Login(%s) = %v, want the code %v", p.Account, err, code)
	case e.Text == "" && e.Err == nil:
		c.Errorf("Login(%s) = %v, want words that tell an administrator more than the code", p.Account, err)
	}
	return err
}

func loginCancelled(c *trial) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	s, err := c.try(ctx, c.Settings, c.People[0])
	if err == nil {
		c.Fatal("Login with a cancelled context succeeded")
	}
	if events, _ := s.sink.snapshot(); len(events) > 0 {
		c.Errorf("Login with a cancelled context delivered %+v", events)
	}
}

func unreachable(c *trial) {
	c.refused(c.at(unusedAddress(c.T)), c.People[0], domain.RejectUpstreamUnreachable)
}

// at gives the harness's settings with another address.
func (c *trial) at(address string) domain.Settings {
	settings := c.Settings
	settings.Address = address
	return settings
}

func silentServer(c *trial) {
	server := c.silent()
	ctx, cancel := context.WithTimeout(context.Background(), c.Wait/20)
	defer cancel()
	began := time.Now()
	c.refusedWithin(ctx, c.at(server.address()), c.People[0], domain.RejectUpstreamTimeout)
	if took := time.Since(began); took > c.Wait {
		c.Errorf("Login took %v after a context of %v", took, c.Wait/20)
	}
}

func cancelledOnTheWay(c *trial) {
	server := c.silent()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		<-server.connected
		cancel()
	}()
	if _, err := c.try(ctx, c.at(server.address()), c.People[0]); err == nil {
		c.Fatal("Login at a server that never speaks succeeded")
	}
	select {
	case <-server.hungUp:
	case <-time.After(c.Wait):
		c.Error("the connection is still open after Login was cancelled")
	}
}

func fullServer(c *trial) {
	free := c.Fill(c.T)
	c.refused(c.Settings, c.People[0], domain.RejectUpstreamFull)
	free()
	c.login(c.People[0])
}

func concurrentLogins(c *trial) {
	for range 3 {
		for _, s := range c.loginAll() {
			c.logout(s)
		}
	}
}

// loginAll logs everybody in at the same time.
func (c *trial) loginAll() []*session {
	ctx, cancel := c.ctx()
	defer cancel()
	all := make([]*session, len(c.People))
	errs := make([]error, len(c.People))
	var wg sync.WaitGroup
	for i, p := range c.People {
		all[i] = &session{person: p, sink: newRecorder(c.Wait)}
		wg.Go(func() {
			login := broker.UpstreamLogin{Session: domain.SessionID(i + 1), Settings: c.Settings, Account: p.Account, Password: p.Password}
			all[i].Conversation, errs[i] = c.Connector.Login(ctx, login, all[i].sink)
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		c.Fatalf("logins at the same time: %v", err)
	}
	for _, s := range all {
		c.sessions, c.sinks = append(c.sessions, s), append(c.sinks, s.sink)
		s.sink.join(s.Conversation)
	}
	return all
}

func sharedAccount(c *trial) {
	a, b1 := c.both()
	b2 := c.login(c.People[1])
	c.awaitEachOther(a, b2)
	c.send(a, b1.person, "m1", "to both")
	for _, s := range []*session{b1, b2} {
		s.sink.await(c.T, "the message in each session", hasMessages(1, a.person))
	}
	c.logout(b1)
	c.send(a, b2.person, "m2", "to the one that is left")
	b2.sink.await(c.T, "the message after the other session is gone", hasMessages(2, a.person))
}
