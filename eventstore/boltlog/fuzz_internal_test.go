package boltlog

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"rollcall/domain"
	"rollcall/eventstore/codec"
)

// Whatever a header page holds, it is refused, or tells of a file of sensible
// size.
func FuzzHeader(f *testing.F) {
	dir := f.TempDir()
	log, err := Open(dir, Options{})
	if err != nil {
		f.Fatal(err)
	}
	if err := log.Close(); err != nil {
		f.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(dir, fileName))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b[:headerSize])
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := readHeader(bytes.NewReader(b), 0)
		if err != nil {
			if !errors.Is(err, errHeader) {
				t.Errorf("readHeader = %v, want it to be %v", err, errHeader)
			}
			return
		}
		if h.pages < 0 || h.pageSize < minPageSize || h.pages*h.pageSize < h.pages {
			t.Errorf("readHeader = %+v", h)
		}
	})
}

// Whatever a stored block holds, it is refused, or it is one that can be read.
func FuzzBlock(f *testing.F) {
	b, err := codec.AppendBlock(nil, 0, time.Time{}, []domain.Record{
		{Position: 1, Time: time.UnixMilli(1).UTC(), Event: &domain.BrokerStarted{Version: "v1"}},
		{Position: 2, Time: time.UnixMilli(2).UTC(), Event: &domain.BrokerStopped{}},
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(append([]byte{blockPlain}, b...))
	f.Add(compress(2, b))
	long := codec.AppendJoined(nil, repeated(f, 200))
	f.Add(compress(200, long))
	f.Fuzz(func(t *testing.T, value []byte) {
		records, err := countRecords(value)
		if err != nil {
			return
		}
		block, err := decompress(new([]byte), value)
		if err != nil {
			return
		}
		if len(block) > codec.MaxBlock && value[0] != blockPlain {
			t.Errorf("a block of %d bytes", len(block))
		}
		opened, err := codec.OpenBlock(block)
		if err != nil {
			return
		}
		last, _, err := opened.End()
		if got := int(last-opened.First()) + 1; err == nil && value[0] == blockPlain && got != records {
			t.Errorf("%d records, want %d", got, records)
		}
	})
}

// repeated gives blocks of one record that follow each other.
func repeated(t testing.TB, n int) (blocks []codec.Block) {
	for i := range n {
		at := time.UnixMilli(int64(i)).UTC()
		b, err := codec.AppendBlock(nil, domain.Position(i), at, []domain.Record{{Position: domain.Position(i + 1), Time: at, Event: &domain.BrokerStopped{}}})
		if err != nil {
			t.Fatal(err)
		}
		opened, err := codec.OpenBlock(b)
		if err != nil {
			t.Fatal(err)
		}
		blocks = append(blocks, opened)
	}
	return blocks
}

// Whatever a frame holds, it is refused, or a batch that is written the same
// again.
func FuzzContent(f *testing.F) {
	f.Add([]byte{})
	f.Add(appendContent(nil, []byte("block"), domain.Batch{
		Sides:  []domain.Side{{SideKey: domain.SideKey{Position: 7, Kind: 1}, Value: []byte("ann")}},
		Forget: []domain.SideKey{{Position: 8, Kind: 2}},
	}))
	f.Fuzz(func(t *testing.T, b []byte) {
		block, sides, forget, err := parseContent(b)
		if err != nil || len(b) == 0 {
			return
		}
		if again := appendContent(nil, block, domain.Batch{Sides: sides, Forget: forget}); !bytes.Equal(again, b) {
			t.Errorf("%x becomes %x", b, again)
		}
	})
}
