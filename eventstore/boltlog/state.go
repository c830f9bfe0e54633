package boltlog

import (
	"bytes"
	"cmp"
	"slices"

	"rollcall/eventstore"
	"rollcall/eventstore/boltlog/internal/journal"
	"rollcall/eventstore/codec"
)

// state is what is durable at one moment, and where it lies. It is never changed:
// the next moment has a state of its own.
type state struct {
	end    tail                // of the log
	packed tail                // of what lies in the database
	sealed eventstore.Boundary // up to where the chain reaches
	frames []frame             // what lies behind that, in the journal and in memory
	events int                 // in those frames
	broken error               // what ends the log, where it is open for reading and its journal is damaged
}

// frame is one batch of the journal.
type frame struct {
	number  uint64
	end     tail   // of the log with it
	block   []byte // a Block; empty where it has no records
	records int
	sides   []eventstore.Side
	forget  []eventstore.SideKey
}

// with gives the state with one more batch.
func (s *state) with(f frame) *state {
	next := *s
	next.frames = append(next.frames, f) // behind what older states see
	next.events += f.records
	next.end = f.end
	return &next
}

// without gives the state when the frames up to one lie in the database.
func (s *state) without(number uint64, packed tail, sealed eventstore.Boundary) *state {
	next := *s
	i, _ := slices.BinarySearchFunc(s.frames, number+1, byNumber)
	for _, f := range s.frames[:i] {
		next.events -= f.records
	}
	next.frames = slices.Clone(s.frames[i:]) // lets go of those in front
	next.packed, next.sealed = packed, sealed
	return &next
}

func byNumber(f frame, number uint64) int { return cmp.Compare(f.number, number) }

// from gives the frames from the one that holds a position on.
func (s *state) from(position eventstore.Position) []frame {
	i, _ := slices.BinarySearchFunc(s.frames, position, func(f frame, p eventstore.Position) int {
		return cmp.Compare(f.end.last, p)
	})
	return s.frames[i:]
}

// openFrame reads a frame that the journal holds, behind the record at before.
func openFrame(j journal.Frame, before tail) (frame, error) {
	f := frame{number: j.Number, end: before}
	var err error
	if f.block, f.sides, f.forget, err = parseContent(j.Content); err != nil {
		return frame{}, err
	}
	if len(f.block) > 0 {
		b, err := codec.OpenBlock(f.block)
		if err != nil {
			return frame{}, err
		}
		if f.end.last, f.end.at, err = b.End(); err != nil {
			return frame{}, err
		}
		if b.First() != before.last+1 || before.last > 0 && !b.Before().Equal(before.at) {
			return frame{}, errContent
		}
	}
	if f.end.last != j.Last || before.last != j.After {
		return frame{}, errContent
	}
	f.records = int(f.end.last - before.last)
	return f, nil
}

// pending is what the journal says of one side record.
type pending struct {
	value  []byte // nil where it was forgotten
	number uint64 // of the frame
}

// note keeps what a frame says of side records; mu is held.
func (l *Log) note(f frame) {
	for _, s := range f.sides {
		l.sides[s.SideKey] = pending{append([]byte{}, s.Value...), f.number}
	}
	for _, k := range f.forget {
		l.sides[k] = pending{nil, f.number}
	}
}

// noted gives what the journal says of a side record; ok is false if nothing.
func (l *Log) noted(k eventstore.SideKey) (p pending, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	p, ok = l.sides[k]
	return p, ok
}

// notedOf gives what the journal says of some side records.
func (l *Log) notedOf(keys []eventstore.SideKey) map[eventstore.SideKey]pending {
	l.mu.Lock()
	defer l.mu.Unlock()
	found := make(map[eventstore.SideKey]pending)
	if len(l.sides) == 0 {
		return found
	}
	for _, k := range keys {
		if p, ok := l.sides[k]; ok {
			found[k] = p
		}
	}
	return found
}

// forgetNoted lets go of what lies in the database with the frames up to one; mu
// is held.
func (l *Log) forgetNoted(frames []frame, number uint64) {
	for _, f := range frames {
		if f.number > number {
			return
		}
		for _, s := range f.sides {
			l.dropNoted(s.SideKey, number)
		}
		for _, k := range f.forget {
			l.dropNoted(k, number)
		}
	}
}

func (l *Log) dropNoted(k eventstore.SideKey, number uint64) {
	if p, ok := l.sides[k]; ok && p.number <= number {
		delete(l.sides, k)
	}
}

// notedBehind gives what the journal says of the side records behind a key,
// sorted.
func (l *Log) notedBehind(after []byte) (keys [][]byte, found map[string]pending) {
	l.mu.Lock()
	defer l.mu.Unlock()
	found = make(map[string]pending)
	for k, p := range l.sides {
		if key := sideKey(k); after == nil || bytes.Compare(key, after) > 0 {
			keys = append(keys, key)
			found[string(key)] = p
		}
	}
	slices.SortFunc(keys, bytes.Compare)
	return keys, found
}
