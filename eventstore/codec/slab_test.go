package codec_test

import (
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/domain"
	"rollcall/eventstore/codec"
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
