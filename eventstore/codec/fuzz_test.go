package codec_test

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/domain"
	"rollcall/eventstore/codec"
)

// Whatever the bytes are, decoding gives records or a typed error. What decodes
// encodes again, to bytes that then stay the same.
func FuzzBlock(f *testing.F) {
	for _, event := range goldens {
		f.Add(blockOf(encodeOne(f, goldenRecord(event))))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		block, err := codec.OpenBlock(b)
		if err != nil {
			checkMalformed(t, err)
			return
		}
		var records []domain.Record
		for r, err := range block.Records() {
			if unknown := (*codec.UnknownEventError)(nil); errors.As(err, &unknown) {
				return
			}
			if err != nil {
				checkMalformed(t, err)
				return
			}
			records = append(records, r)
		}
		once := encodeAll(t, block, records)
		block, err = codec.OpenBlock(once)
		if err != nil {
			t.Fatal(err)
		}
		again := collect(t, block)
		if diff := cmp.Diff(records, again); diff != "" {
			t.Fatalf("decoded again (-first +second):\n%s", diff)
		}
		if twice := encodeAll(t, block, again); !bytes.Equal(once, twice) {
			t.Fatalf("encoded %x, then %x", once, twice)
		}
	})
}

func checkMalformed(t *testing.T, err error) {
	t.Helper()
	if malformed := (*codec.MalformedError)(nil); !errors.As(err, &malformed) {
		t.Fatalf("got %T %v, want a MalformedError", err, err)
	}
}

func encodeAll(t *testing.T, block codec.Block, records []domain.Record) []byte {
	t.Helper()
	b, err := codec.AppendBlock(nil, block.First()-1, block.Before(), records)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func BenchmarkBlock(b *testing.B) {
	const repeat = 500
	var records []domain.Record
	for i := range repeat {
		for _, r := range story()[5:] {
			r.Position, r.Time = domain.Position(6+len(records)), before.Add(time.Duration(i)*time.Second)
			records = append(records, r)
		}
	}
	block, err := codec.AppendBlock(nil, 5, before, records)
	if err != nil {
		b.Fatal(err)
	}
	perEvent := func(b *testing.B) {
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(records)), "ns/event")
		b.ReportMetric(float64(len(block))/float64(len(records)), "B/event")
	}
	b.Run("encode", func(b *testing.B) {
		var buf []byte
		for b.Loop() {
			buf, _ = codec.AppendBlock(buf[:0], 5, before, records)
		}
		perEvent(b)
	})
	b.Run("decode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			opened, _ := codec.OpenBlock(block)
			for _, err := range opened.Records() {
				if err != nil {
					b.Fatal(err)
				}
			}
		}
		perEvent(b)
	})
	b.Run("slab", func(b *testing.B) {
		b.ReportAllocs()
		var slab codec.Slab
		for b.Loop() {
			opened, _ := codec.OpenBlock(block)
			slab.Reset()
			if err := opened.Decode(&slab); err != nil {
				b.Fatal(err)
			}
		}
		perEvent(b)
	})
}
