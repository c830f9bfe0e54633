package local

import (
	"time"

	"rollcall/domain"
	"rollcall/domain/broker"
)

// watchEvery is how often the account file is looked at while somebody is logged
// in; a login looks too.
const watchEvery = 2 * time.Second

// keepWatch sees to it that the file is looked at. The lock is held.
func (c *Connector) keepWatch() {
	if c.watch == nil && len(c.people) > 0 {
		c.watch = time.AfterFunc(watchEvery, c.look)
	}
}

// look takes over what has changed in the file.
func (c *Connector) look() {
	accounts, err := c.store.load()
	c.mu.Lock()
	defer c.mu.Unlock()
	if err == nil {
		c.adopt(accounts)
	}
	c.note(err)
	if c.watch != nil {
		c.watch.Reset(watchEvery)
	}
}

// note logs a problem with the file once, not each time it is looked at.
func (c *Connector) note(err error) {
	problem := ""
	if err != nil {
		problem = err.Error()
	}
	if problem != c.problem && err != nil {
		c.logger.Error("the built-in service goes on with the accounts it knows", "error", err)
	}
	c.problem = problem
}

// adopt tells everybody what has changed since the directory they know, and ends
// the sessions of accounts that are gone. An older directory changes nothing.
// The lock is held.
func (c *Connector) adopt(accounts *directory) {
	if accounts.generation <= c.told.generation {
		return
	}
	before := c.told
	c.told = accounts
	if len(c.people) == 0 {
		return // nobody to tell
	}
	for old, now := range before.changes(accounts) {
		switch {
		case now == nil:
			c.expel(old)
		case old == nil || old.Display != now.Display:
			c.tell(now.Name, broker.RosterChanged{Contact: contactOf(now)})
		}
	}
}

func (c *Connector) expel(old *account) {
	if p := c.people[old.Name]; p != nil {
		c.end(p, &broker.UpstreamError{Code: domain.RejectUpstreamRefused, Text: "the account has been removed"})
	}
	c.tell(old.Name, broker.RosterChanged{Contact: contactOf(old), Removed: true})
}
