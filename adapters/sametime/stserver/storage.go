package stserver

import (
	"bytes"

	"rollcall/adapters/sametime/wire"
)

// maxStored is how many values one person may keep.
const maxStored = 1000

func (c *client) storage(channel uint32, m wire.ServiceMessage) {
	switch m := m.(type) {
	case *wire.StorageLoad:
		answer := &wire.StorageLoaded{Request: m.Request}
		if value, there := c.who.stored[m.Key]; there {
			answer.Items = []wire.StorageItem{{Key: m.Key, Value: value}}
		}
		c.sendService(channel, answer)
	case *wire.StorageSave:
		answer := &wire.StorageSaved{Request: m.Request}
		for _, i := range m.Items {
			if len(c.who.stored) >= maxStored && c.who.stored[i.Key] == nil {
				answer.Result = wire.Failure
				continue
			}
			c.who.stored[i.Key] = bytes.Clone(i.Value)
		}
		c.sendService(channel, answer)
	}
}

// Stored gives what a person keeps under a key; ok is false if nothing.
func (s *Server) Stored(userID string, key wire.StorageKey) (value []byte, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.people[userID]
	if p == nil {
		return nil, false
	}
	value, ok = p.stored[key]
	return bytes.Clone(value), ok
}
