package verify

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"iter"
	"slices"

	"rollcall/domain"
	"rollcall/eventstore"
)

// place says under what a kind of side record stands, and how long it is.
type place struct {
	under []*thing
	size  int // in bytes; any where zero
}

// keySize is the length of a device's public key (X25519) in bytes.
const keySize = 32

// places has every kind of side record that this version knows.
var places = map[domain.SideKind]place{
	domain.SidePersonName:   {under: []*thing{aPerson}},
	domain.SideAccountName:  {under: []*thing{anAccount, aSession}},
	domain.SideDeviceLabel:  {under: []*thing{aDevice}},
	domain.SideDeviceKey:    {under: []*thing{aDevice}, size: keySize},
	domain.SideAddress:      {under: []*thing{aSession}},
	domain.SideCredentials:  {under: []*thing{aSession}},
	domain.SideOfferSecret:  {under: []*thing{anOffer}, size: sha256.Size},
	domain.SideServiceName:  {under: []*thing{aSession}},
	domain.SideUpstreamText: {under: []*thing{aSession}},
}

// sides checks every side record.
func (c *checker) sides(ctx context.Context) error {
	for s, err := range eachSide(ctx, c.log, &c.report.things) {
		var damage *eventstore.DamageError
		switch {
		case errors.As(err, &damage):
			c.find(Damage, damage.From, max(damage.From, damage.To), damage)
		case err != nil:
			return err
		default:
			c.side(s)
		}
	}
	return nil
}

func (c *checker) side(s domain.Side) {
	c.report.Sides++
	if s.Position > c.report.Last {
		c.misplaced(Side, s, "it lies past the end of the log")
		return
	}
	where, known := places[s.Kind]
	switch {
	case !known:
		c.misplaced(Unknown, s, "this version of rollcall does not know its kind; use a newer version")
	case !slices.ContainsFunc(where.under, func(what *thing) bool { return c.report.things.is(what, s.Position) }):
		c.misplaced(Side, s, fmt.Sprintf("it belongs under %s", where.under[0].wanted))
	case where.size != 0 && len(s.Value) != where.size:
		c.misplaced(Side, s, fmt.Sprintf("it has %d bytes, not %d", len(s.Value), where.size))
	}
}

func (c *checker) misplaced(kind Kind, s domain.Side, problem string) {
	c.find(kind, s.Position, s.Position, &SideError{Key: s.SideKey, Actual: c.report.things.at(s.Position), Problem: problem})
}

// eachSide gives every side record that can be read. A damaged one comes as a
// *[eventstore.DamageError], and the iteration goes on: those behind it are then
// looked up one by one, under every event that they can stand under. Any other
// error ends it.
func eachSide(ctx context.Context, log Log, t *things) iter.Seq2[domain.Side, error] {
	return func(yield func(domain.Side, error) bool) {
		var last domain.SideKey
		kinds := kindsUnder()
		for s, err := range log.Sides(ctx) {
			if !yield(s, err) {
				return
			}
			if damage := (*eventstore.DamageError)(nil); errors.As(err, &damage) {
				singly(ctx, log, t, kinds, last, yield)
				return
			}
			last = s.SideKey
			if _, known := places[s.Kind]; !known && err == nil {
				kinds.anywhere(s.Kind)
			}
		}
	}
}

// singly gives the side records behind the key last.
func singly(ctx context.Context, log Log, t *things, kinds kindsByEvent, last domain.SideKey, yield func(domain.Side, error) bool) {
	for p := last.Position; p <= t.last; p++ {
		for _, kind := range kinds[t.at(p)] {
			key := domain.SideKey{Position: p, Kind: kind}
			if compareKeys(key, last) <= 0 {
				continue
			}
			value, ok, err := log.Side(ctx, key)
			if (ok || err != nil) && !yield(domain.Side{SideKey: key, Value: value}, err) {
				return
			}
		}
	}
}

// kindsByEvent says which kinds of side records may stand under each type of
// event, and under one that is lost.
type kindsByEvent map[domain.EventType][]domain.SideKind

func kindsUnder() kindsByEvent {
	kinds := make(kindsByEvent)
	for kind, where := range places {
		kinds[0] = append(kinds[0], kind)
		for _, what := range where.under {
			for _, t := range what.by {
				kinds[t] = append(kinds[t], kind)
			}
		}
	}
	for t := range kinds {
		slices.Sort(kinds[t])
		kinds[t] = slices.Compact(kinds[t])
	}
	return kinds
}

// anywhere adds a kind that this version does not know.
func (k kindsByEvent) anywhere(kind domain.SideKind) {
	for _, t := range append(domain.EventTypes(), 0) {
		if !slices.Contains(k[t], kind) {
			k[t] = append(k[t], kind)
			slices.Sort(k[t])
		}
	}
}

func compareKeys(a, b domain.SideKey) int {
	return cmp.Or(cmp.Compare(a.Position, b.Position), cmp.Compare(a.Kind, b.Kind))
}
