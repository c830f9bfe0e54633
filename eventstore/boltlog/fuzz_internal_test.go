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

// Whatever a stored block holds, it is refused, or its records end where it says.
func FuzzBlock(f *testing.F) {
	b, err := codec.AppendBlock([]byte{blockPlain}, 0, time.Time{}, []domain.Record{
		{Position: 1, Time: time.UnixMilli(1).UTC(), Event: &domain.BrokerStarted{Version: "v1"}},
		{Position: 2, Time: time.UnixMilli(2).UTC(), Event: &domain.BrokerStopped{}},
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		opened, err := decodeBlock(b)
		if err != nil {
			return
		}
		last := opened.First() - 1
		for _, err := range opened.Records() {
			var malformed *codec.MalformedError
			if errors.As(err, &malformed) {
				return
			}
			last++
		}
		if last != opened.last {
			t.Errorf("the records end at %d, the block at %d", last, opened.last)
		}
	})
}
