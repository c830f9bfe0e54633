package boltlog

import (
	"errors"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"rollcall/eventstore"
	"rollcall/eventstore/codec"
	"rollcall/eventstore/logtest"
)

// An event of a newer version ends a reading of many blocks, whoever decodes it, while
// others are still decoded ahead. (The race detector looks at who writes what.)
func TestBlocksEndAtAnUnknownEvent(t *testing.T) {
	dir := t.TempDir()
	l, err := Open(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Append(t.Context(), 0, eventstore.Batch{Records: logtest.Records(1, 1)}); err != nil {
		t.Fatal(err)
	}
	const newer = 400
	block := protowire.AppendVarint([]byte{0x08, 2, 0x10}, uint64(l.state.Load().end.at.UnixMilli()))
	for range newer {
		block = append(block, 0x1a, 3, 0xfa, 0x01, 0) // the event 31, which is empty
	}
	if _, err := l.journal.Append(1, 1+newer, appendContent(nil, block, eventstore.Batch{}), false); err != nil {
		t.Fatal(err)
	}
	l.unproven = false // the mark would not fit behind that
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if l, err = Open(dir, Options{}); err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for range 300 {
		var last error
		for _, err := range l.Blocks(t.Context(), 1) {
			last = err
		}
		var unknown *codec.UnknownEventError
		if !errors.As(last, &unknown) || unknown.Position != 2 {
			t.Fatalf("Blocks ends with %v, want an unknown event at position 2", last)
		}
	}
}
