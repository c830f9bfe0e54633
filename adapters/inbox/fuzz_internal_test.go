package inbox

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/fnv"
	"os"
	"path/filepath"
	"testing"

	"rollcall/domain"
	"rollcall/domain/broker"
)

// Whatever a row holds, it is refused, or it is what the same row is written as
// again.
func FuzzRow(f *testing.F) {
	id := broker.MailboxID{Device: 1, Account: 2}
	h := head{key: [32]byte{1}, last: 9, forgotten: 7, waiting: 2, bytes: 5, filled: -1}
	h.learn(broker.Digest{3})
	f.Add(headKey(id), h.encode())
	f.Add(itemKey(id, 7), encodeLetter([]byte("sealed")))
	f.Add(itemKey(id, 7), encodeNote(3))
	f.Add(answersKey(id, 7), encodeAnswers([]broker.Answer{{Message: broker.Digest{1}}, {Refused: true}}))
	f.Fuzz(func(t *testing.T, key, value []byte) {
		k, ok := parseKey(key)
		if !ok {
			return
		}
		var again, keyAgain []byte
		switch k.kind {
		case kindHead:
			var h head
			if h, ok = decodeHead(value); ok {
				again, keyAgain = h.encode(), headKey(k.id)
			}
		case kindItem:
			var it item
			if it, ok = decodeItem(k.number, value); ok && it.isNote() {
				again = encodeNote(it.dropped)
			} else if ok {
				again = encodeLetter(it.sealed)
			}
			if ok && (it.first() == 0 || it.first() > it.number) {
				t.Errorf("row %d begins at %d", it.number, it.first())
			}
			keyAgain = itemKey(k.id, k.number)
		case kindAnswers:
			var answers []broker.Answer
			if answers, ok = decodeAnswers(value); ok {
				again, keyAgain = encodeAnswers(answers), answersKey(k.id, k.number)
			}
		}
		if ok && (!bytes.Equal(again, value) || !bytes.Equal(keyAgain, key)) {
			t.Errorf("%x = %x is written as %x = %x", key, value, keyAgain, again)
		}
	})
}

// Whatever a header page holds, it is refused, or tells of a file of sensible size.
func FuzzHeader(f *testing.F) {
	f.Add(make([]byte, headerSize))
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

// Whatever pages hold, they are refused or can be walked to the end.
func FuzzPages(f *testing.F) {
	path := filepath.Join(f.TempDir(), FileName)
	i, err := Open(path, domain.LogID{}, Options{})
	if err != nil {
		f.Fatal(err)
	}
	if _, err := i.Put(f.Context(), broker.MailboxID{}, broker.Letter{Number: 1, Sealed: make([]byte, 5000)}); err != nil {
		f.Fatal(err)
	}
	if err := i.Close(); err != nil {
		f.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	b = b[:12*pageSize]
	if err := checkPages(bytes.NewReader(b)); err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		for page := 0; page < 2 && len(b) >= (page+1)*pageSize; page++ {
			head := b[page*pageSize:]
			sum := fnv.New64a()
			sum.Write(head[16:72])
			binary.LittleEndian.PutUint64(head[72:], sum.Sum64())
		}
		checkPages(bytes.NewReader(b)) // whatever it says, it says it
	})
}
