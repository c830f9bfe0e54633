package logtest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"rollcall/domain"
	"rollcall/eventstore"
)

// model is what a log is said to be: a number of records and a table of side
// records.
type model struct {
	t     *testing.T
	log   eventstore.Log
	count int
	sides map[eventstore.SideKey]string
}

// testModel takes the log and the model through the same random histories.
func testModel(t *testing.T, subject Subject) {
	rapid.Check(t, func(rt *rapid.T) {
		m := &model{t: t, log: subject.Open(t), sides: make(map[eventstore.SideKey]string)}
		defer func() { m.log.Close() }()
		actions := map[string]func(*rapid.T){
			"append":   m.append,
			"conflict": m.conflict,
			"read":     m.read,
			"follow":   m.follow,
			"":         m.check,
		}
		if subject.Reopen != nil {
			actions["reopen"] = func(*rapid.T) { m.log = subject.Reopen(t, m.log) }
		}
		for name, other := range subject.Others {
			actions[name] = func(*rapid.T) { m.log = other(t, m.log) }
		}
		rt.Repeat(actions)
	})
}

func (m *model) append(t *rapid.T) {
	n := rapid.IntRange(0, 9).Draw(t, "records")
	batch := eventstore.Batch{Records: Records(eventstore.Position(m.count+1), n)}
	if m.count+n > 0 {
		keys := rapid.Custom(func(t *rapid.T) eventstore.SideKey {
			return eventstore.SideKey{
				Position: eventstore.Position(rapid.IntRange(1, m.count+n).Draw(t, "position")),
				Kind:     domain.SideKind(rapid.IntRange(1, 3).Draw(t, "kind")),
			}
		})
		for _, key := range rapid.SliceOfN(keys, 0, 4).Draw(t, "sides") {
			value := rapid.StringN(0, 8, 32).Draw(t, "value")
			batch.Sides = append(batch.Sides, eventstore.Side{SideKey: key, Value: []byte(value)})
			m.sides[key] = value
		}
		batch.Forget = rapid.SliceOfN(keys, 0, 4).Draw(t, "forget")
		for _, key := range batch.Forget {
			delete(m.sides, key)
		}
	}
	last, err := m.log.Append(m.t.Context(), eventstore.Position(m.count), batch)
	m.count += n
	if err != nil || last != eventstore.Position(m.count) {
		t.Fatalf("Append = %d, %v; want %d", last, err, m.count)
	}
}

func (m *model) conflict(t *rapid.T) {
	after := eventstore.Position(m.count + rapid.SampledFrom([]int{1, 2, 100}).Draw(t, "ahead"))
	_, err := m.log.Append(m.t.Context(), after, eventstore.Batch{Records: Records(after+1, 1)})
	if conflict := (*eventstore.ConflictError)(nil); !errors.As(err, &conflict) {
		t.Fatalf("Append behind %d of %d = %v, want a conflict", after, m.count, err)
	}
}

func (m *model) read(t *rapid.T) {
	from := rapid.IntRange(0, m.count+2).Draw(t, "from")
	next := eventstore.Position(max(from, 1))
	for r, err := range m.log.Read(m.t.Context(), eventstore.Position(from)) {
		if err != nil {
			t.Fatalf("Read(%d): %v", from, err)
		}
		if want := Records(next, 1)[0]; !reflect.DeepEqual(want, r) {
			t.Fatalf("Read(%d) gives %v, want %v", from, r, want)
		}
		next++
	}
	if want := eventstore.Position(max(m.count, max(from, 1)-1)); next-1 != want {
		t.Fatalf("Read(%d) ends at %d, want %d", from, next-1, want)
	}
}

// follow begins to follow, and appends meanwhile: history and what comes live are
// given once and in order.
func (m *model) follow(t *rapid.T) {
	from := rapid.IntRange(0, m.count+2).Draw(t, "from")
	next, stop := eventstore.Position(max(from, 1)), m.count+rapid.IntRange(1, 12).Draw(t, "more")
	if int(next) > stop {
		return
	}
	ctx, cancel := context.WithTimeout(m.t.Context(), 30*time.Second)
	defer cancel()
	done := make(chan string, 1)
	go func() {
		for r, err := range m.log.Follow(ctx, eventstore.Position(from)) {
			if want := Records(next, 1)[0]; err != nil || !reflect.DeepEqual(want, r) {
				done <- fmt.Sprintf("Follow(%d) gives %v, %v, want %v", from, r, err, want)
				return
			}
			if next++; int(next) > stop {
				break
			}
		}
		done <- ""
	}()
	for m.count < stop {
		n := rapid.IntRange(1, stop-m.count).Draw(t, "records")
		if _, err := m.log.Append(m.t.Context(), eventstore.Position(m.count), eventstore.Batch{Records: Records(eventstore.Position(m.count+1), n)}); err != nil {
			t.Fatal(err)
		}
		m.count += n
	}
	if problem := <-done; problem != "" {
		t.Fatal(problem)
	}
}

func (m *model) check(t *rapid.T) {
	if got := m.log.Last(); got != eventstore.Position(m.count) {
		t.Fatalf("Last() = %d, want %d", got, m.count)
	}
	keys := slices.SortedFunc(maps.Keys(m.sides), func(a, b eventstore.SideKey) int {
		return cmp.Or(cmp.Compare(a.Position, b.Position), cmp.Compare(a.Kind, b.Kind))
	})
	var want []eventstore.Side
	for _, key := range keys {
		want = append(want, side(key.Position, key.Kind, m.sides[key]))
	}
	if diff := gocmp.Diff(want, collectSides(m.t, m.log)); diff != "" {
		t.Fatalf("side records (-want +got):\n%s", diff)
	}
}
