package xmpp

import (
	"container/list"
	"slices"
	"sync"

	"rollcall/domain/broker"
)

// maxCachedContacts bounds what the cache of rosters holds.
const maxCachedContacts = 50_000

// cachedRoster is a roster as of a version. It is never changed, only replaced.
type cachedRoster struct {
	key      string
	version  string
	contacts []broker.Contact
}

// rosterCache remembers the rosters of the accounts used last, so that a server
// need not send again what has not changed. It is safe for concurrent use.
type rosterCache struct {
	mu    sync.Mutex
	byKey map[string]*list.Element
	order *list.List // of *cachedRoster, the one used last in front
	size  int        // contacts, and one for each roster
}

func newRosterCache() *rosterCache {
	return &rosterCache{byKey: make(map[string]*list.Element), order: list.New()}
}

// get gives a roster, or nil.
func (c *rosterCache) get(key string) *cachedRoster {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.byKey[key]
	if e == nil {
		return nil
	}
	c.order.MoveToFront(e)
	return e.Value.(*cachedRoster)
}

// put remembers a roster, and forgets those not used for longest as far as there
// is no room.
func (c *rosterCache) put(r *cachedRoster) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.putLocked(r)
}

func (c *rosterCache) putLocked(r *cachedRoster) {
	c.drop(c.byKey[r.key])
	c.byKey[r.key] = c.order.PushFront(r)
	c.size += len(r.contacts) + 1
	for c.size > maxCachedContacts {
		c.drop(c.order.Back())
	}
}

func (c *rosterCache) drop(e *list.Element) {
	if e == nil {
		return
	}
	r := c.order.Remove(e).(*cachedRoster)
	delete(c.byKey, r.key)
	c.size -= len(r.contacts) + 1
}

// change brings a remembered roster to a newer version. Two sessions of one
// account may bring the same change: it does no harm twice. A change without a
// version makes what is remembered worthless.
func (c *rosterCache) change(key, version string, contact broker.Contact, removed bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.byKey[key]
	if e == nil {
		return
	}
	if version == "" {
		c.drop(e)
		return
	}
	same := func(other broker.Contact) bool { return other.Address == contact.Address }
	contacts := slices.DeleteFunc(slices.Clone(e.Value.(*cachedRoster).contacts), same)
	if !removed {
		contacts = append(contacts, contact)
	}
	c.putLocked(&cachedRoster{key: key, version: version, contacts: contacts})
}
