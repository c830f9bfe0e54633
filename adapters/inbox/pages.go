package inbox

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// A page of a bbolt file, and of those that hang together with it. The head of
// database pages is drawn at headerSize; numbers are little-endian.
//
//	 0  page       8   its own number
//	 8  kind       2   1: branch, 2: leaf
//	10  count      2   of its elements
//	12  overflow   4   how many pages behind it belong to it
//	16  elements  16   each
//
//	branch                                leaf
//	 0  key at     4   from here          0  flags      4   1: the value is a bucket
//	 4  key size   4                      4  key at     4   from here; the value behind it
//	 8  page       8                      8  key size   4
//	                                     12  value size 4
//
// The value of a bucket begins with the page of its root, 8 bytes, and its sequence
// number, 8. Where that page is 0 a leaf of its own follows.
const (
	pageHead    = 16
	elementSize = 16
	bucketHead  = 16

	pageBranch = 1
	pageLeaf   = 2

	maxDepth = 64
)

// checkPages walks all pages that the newest head leads to, and sees whether bbolt
// can: each is what it says it is, is led to once, and its keys are in order and
// lie within it.
func checkPages(file io.ReaderAt) error {
	h, err := readHeader(file, 0)
	if err != nil {
		return err
	}
	second, err := readHeader(file, h.pageSize)
	if err != nil {
		return err
	}
	if second.tx > h.tx {
		h = second
	}
	w := &pageWalk{file: file, header: h, seen: make(map[int64]bool)}
	return w.page(h.root, span{}, 0)
}

type pageWalk struct {
	file   io.ReaderAt
	header header
	seen   map[int64]bool
}

// span is where keys may lie: from low on and in front of high, where they are
// there.
type span struct{ low, high []byte }

func (w *pageWalk) page(id int64, keys span, depth int) error {
	b, err := w.read(id)
	if err != nil {
		return fmt.Errorf("page %d: %w", id, err)
	}
	if depth > maxDepth {
		return fmt.Errorf("page %d: lies too deep", id)
	}
	if err := w.elements(b, keys, depth); err != nil {
		return fmt.Errorf("page %d: %w", id, err)
	}
	return nil
}

// read reads a page with its overflow, once.
func (w *pageWalk) read(id int64) ([]byte, error) {
	var head [pageHead]byte
	if id < 2 || id >= w.header.pages {
		return nil, errors.New("there is no such page")
	}
	if _, err := w.file.ReadAt(head[:], id*w.header.pageSize); err != nil {
		return nil, err
	}
	if own := binary.LittleEndian.Uint64(head[:]); own != uint64(id) {
		return nil, fmt.Errorf("it says that it is page %d", own)
	}
	behind := id + int64(binary.LittleEndian.Uint32(head[12:])) + 1
	if _, err := w.file.ReadAt(head[:1], behind*w.header.pageSize-1); err != nil || behind > w.header.pages {
		return nil, errors.New("it does not end within the file")
	}
	for n := id; n < behind; n++ {
		if w.seen[n] {
			return nil, errors.New("it is used twice")
		}
		w.seen[n] = true
	}
	b := make([]byte, (behind-id)*w.header.pageSize)
	_, err := w.file.ReadAt(b, id*w.header.pageSize)
	return b, err
}

var errElement = errors.New("an element does not lie within it")

// elements walks the elements of a page, and what they lead to.
func (w *pageWalk) elements(b []byte, keys span, depth int) error {
	kind, count := binary.LittleEndian.Uint16(b[8:]), int(binary.LittleEndian.Uint16(b[10:]))
	if kind != pageBranch && kind != pageLeaf {
		return fmt.Errorf("it is of kind %d", kind)
	}
	if pageHead+count*elementSize > len(b) {
		return errElement
	}
	var last element
	for n := range count {
		e, ok := takeElement(b, pageHead+n*elementSize, kind)
		if !ok {
			return errElement
		}
		if n > 0 && bytes.Compare(last.key, e.key) >= 0 || !keys.holds(e.key) {
			return errors.New("its keys are not in order")
		}
		if n > 0 && kind == pageBranch {
			if err := w.page(last.page, span{last.key, e.key}, depth+1); err != nil {
				return err
			}
		}
		if e.bucket {
			if err := w.bucket(e.value, depth); err != nil {
				return err
			}
		}
		last = e
	}
	switch {
	case kind == pageLeaf:
		return nil
	case count == 0:
		return errors.New("it leads nowhere")
	}
	return w.page(last.page, span{last.key, keys.high}, depth+1)
}

func (s span) holds(key []byte) bool {
	return (s.low == nil || bytes.Compare(s.low, key) <= 0) && (s.high == nil || bytes.Compare(key, s.high) < 0)
}

// element is one element of a page.
type element struct {
	key, value []byte // no value in a branch
	page       int64  // in a branch
	bucket     bool   // in a leaf
}

// takeElement takes the element at a place of a page apart; false if it does not
// lie within the page.
func takeElement(b []byte, at int, kind uint16) (e element, ok bool) {
	field := func(n int) uint64 { return uint64(binary.LittleEndian.Uint32(b[at+n:])) }
	var pos, keySize, valueSize uint64
	if kind == pageBranch {
		pos, keySize = field(0), field(4)
		e.page = int64(binary.LittleEndian.Uint64(b[at+8:]))
	} else {
		pos, keySize, valueSize = field(4), field(8), field(12)
		e.bucket = field(0) == 1
		if field(0) > 1 {
			return e, false
		}
	}
	start := uint64(at) + pos
	if start+keySize+valueSize > uint64(len(b)) {
		return e, false
	}
	e.key = b[start : start+keySize]
	e.value = b[start+keySize : start+keySize+valueSize]
	return e, true
}

// bucket walks the pages of a bucket.
func (w *pageWalk) bucket(value []byte, depth int) error {
	if len(value) < bucketHead {
		return errElement
	}
	if root := int64(binary.LittleEndian.Uint64(value)); root != 0 {
		return w.page(root, span{}, depth+1)
	}
	inline := value[bucketHead:]
	if len(inline) < pageHead || binary.LittleEndian.Uint16(inline[8:]) != pageLeaf || depth > maxDepth {
		return errElement
	}
	return w.elements(inline, span{}, depth+1)
}
