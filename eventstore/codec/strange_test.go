package codec_test

import (
	"testing"

	"rollcall/eventstore/codec"
)

// A record without a byte in it is malformed, also in front of bytes that look like a
// long number.
func TestEmptyRecord(t *testing.T) {
	b := []byte{0x08, 1, 0x1a, 0, 0x08, 1, 0x08, 1, 0x08, 1, 0x08, 1}
	block, err := codec.OpenBlock(b)
	if err != nil {
		t.Fatal(err)
	}
	var slab codec.Slab
	checkMalformed(t, block.Decode(&slab))
	for _, err := range block.Records() {
		checkMalformed(t, err)
	}
}

// Of several times in one record the last counts, for whoever reads it.
func TestTwoTimes(t *testing.T) {
	record := append([]byte{0x08, 5}, encodeOne(t, goldenRecord(goldens["broker-stopped"]))...)
	block, err := codec.OpenBlock(blockOf(record))
	if err != nil {
		t.Fatal(err)
	}
	_, end, err := block.End()
	if err != nil {
		t.Fatal(err)
	}
	for r, err := range block.Records() {
		if err != nil || !r.Time.Equal(end) {
			t.Errorf("the record is of %v, %v, and the block ends at %v", r.Time, err, end)
		}
	}
	var slab codec.Slab
	if err := block.Decode(&slab); err != nil || !slab.Records()[0].Time.Equal(end) {
		t.Errorf("decoded %v, %v; the block ends at %v", slab.Records(), err, end)
	}
}
