package codec_test

import (
	"math"
	"reflect"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protowire"

	"rollcall/domain"
	"rollcall/eventstore/codec"
	"rollcall/eventstore/logtest"
)

// decodeBoth reads a block one record at a time and into a slab, and fails where
// they differ.
func decodeBoth(t testing.TB, block codec.Block, slab *codec.Slab) (records []domain.Record, err error) {
	t.Helper()
	for r, problem := range block.Records() {
		if err = problem; err != nil {
			break
		}
		records = append(records, r)
	}
	slab.Reset()
	if got := block.Decode(slab); !reflect.DeepEqual(err, got) {
		t.Errorf("Decode = %v, want %v", got, err)
	}
	if got := slab.Records(); len(records)+len(got) > 0 && !reflect.DeepEqual(records, got) {
		t.Errorf("Decode (-one by one +slab):\n%s", cmp.Diff(records, got))
	}
	return records, err
}

// A slab that has been used before gives what decoding one by one gives.
func TestSlab(t *testing.T) {
	var slab codec.Slab
	for range 3 {
		for name, event := range goldens {
			block := mustOpen(t, blockOf(encodeOne(t, goldenRecord(event))))
			if records, err := decodeBoth(t, block, &slab); err != nil || len(records) != 1 {
				t.Errorf("%s: %d records, %v", name, len(records), err)
			}
		}
	}
}

// What stands between quickly decoded records does not keep them from it, and a
// number of any length is read right.
func TestSlabBesideOddRecords(t *testing.T) {
	plain := encodeOne(t, goldenRecord(goldens["login-accepted"]))
	accepted := func(fields ...[]byte) []byte { return event(4, slices.Concat(fields...)) }
	var slab codec.Slab
	for name, odd := range map[string][]byte{
		"two bytes of tag":    encodeOne(t, goldenRecord(goldens["device-enrolled"])),
		"texts":               encodeOne(t, goldenRecord(goldens["service-configured"])),
		"a field of later":    accepted(field(1, 2), field(9, 7)),
		"a text of later":     accepted(field(1, 2), protowire.AppendString(protowire.AppendTag(nil, 3, protowire.BytesType), "text")),
		"out of order":        event(6, slices.Concat(field(2, 20), field(1, 2))),
		"twice the same":      accepted(field(1, 1), field(1, 2)),
		"an empty event":      accepted(),
		"a long form of zero": accepted([]byte{1 << 3, 0x80, 0x80, 0x00}),
		"nine bytes":          event(5, field(7, 1<<56)),
		"ten bytes":           event(5, field(7, math.MaxUint64)),
		"field zero":          accepted([]byte{0, 1}),
		"no end":              accepted([]byte{1 << 3, 0x80}),
		"reaches too far":     accepted(field(1, at+10)),
		"too long":            event(6, field(2, math.MaxUint64-1)),
		"ten thousand years":  append(field(1, 252_000_000_000_000), plain...),
	} {
		t.Run(name, func(t *testing.T) {
			for _, records := range [][][]byte{{odd}, {plain, odd, plain}, {odd, odd, odd}} {
				decodeBoth(t, mustOpen(t, blockOf(records...)), &slab)
			}
		})
	}
}

// Each length of number is what it is.
func TestSlabNumbers(t *testing.T) {
	var slab codec.Slab
	for bit := range 32 {
		for _, seats := range []uint32{1 << bit, 1<<bit - 1} {
			event := &domain.LoginAdmitted{Session: at, Seats: seats, Limit: domain.Some(seats)}
			raw := encodeOne(t, goldenRecord(event))
			records, err := decodeBoth(t, mustOpen(t, blockOf(raw, raw)), &slab)
			if err != nil || !reflect.DeepEqual(records[0].Event, domain.Event(event)) {
				t.Errorf("decoded %v, %v; want %v", records, err, event)
			}
		}
	}
}

// A slab that has been used before takes nothing from the heap.
func TestSlabAllocatesNothing(t *testing.T) {
	town := logtest.NewTown(1000)
	raw, err := codec.AppendBlock(nil, 0, before, town.Records(10_000))
	if err != nil {
		t.Fatal(err)
	}
	block := mustOpen(t, raw)
	var slab codec.Slab
	decode := func() {
		slab.Reset()
		if err := block.Decode(&slab); err != nil {
			t.Fatal(err)
		}
	}
	for range 20 { // until it is large enough
		decode()
	}
	if n := testing.AllocsPerRun(10, decode); n != 0 {
		t.Errorf("decoding a block of %d records takes %v allocations, want none", len(slab.Records()), n)
	}
}

func mustOpen(t testing.TB, b []byte) codec.Block {
	t.Helper()
	block, err := codec.OpenBlock(b)
	if err != nil {
		t.Fatal(err)
	}
	return block
}

// From gives the same records as passing over those in front.
func TestFrom(t *testing.T) {
	block := mustBlock(t, 0, before, story())
	all := collect(t, block)
	for from := range domain.Position(len(all)) {
		rest, err := block.From(from)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(all[max(from, 1)-1:], collect(t, rest)); diff != "" {
			t.Errorf("From(%d) (-want +got):\n%s", from, diff)
		}
	}
}

// Whatever the bytes are, both ways of decoding give the same.
func FuzzSlab(f *testing.F) {
	for _, event := range goldens {
		one := encodeOne(f, goldenRecord(event))
		f.Add(blockOf(one, one))
	}
	var slab codec.Slab
	f.Fuzz(func(t *testing.T, b []byte) {
		if block, err := codec.OpenBlock(b); err == nil {
			decodeBoth(t, block, &slab)
		}
	})
}
