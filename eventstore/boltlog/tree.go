package boltlog

import (
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"slices"
)

// The pages of a bbolt file hang together as a tree, each with a head:
//
//	 0  page       8   its own number
//	 8  kind       2   1: branch, 2: leaf
//	10  count      2   of its elements
//	12  overflow   4   how many pages behind it belong to it
//	16  elements  16   each
//
// An element of a branch has the page that it leads to in its last 8 bytes. One of a
// leaf has flags (4; 1: its value is a bucket), where its key is, from here (4), and
// the sizes of key (4) and value (4); the value stands behind the key. The value of a
// bucket begins with the page of its root, 8 bytes, and its sequence number, 8; where
// the page is 0 a leaf of its own follows. Numbers are little-endian.
const (
	pageHead    = 16
	elementSize = 16
	bucketHead  = 16

	pageLeaf = 2 // bbolt takes any other kind for a branch

	maxDepth = 64
)

// checkTree sees whether the pages that the newest header leads to make a tree. Where
// a page leads back to one above it, as in a copy that was torn while it was made,
// bbolt goes round until there is no memory left. Anything else that is wrong with a
// page it tells, or a checksum does: that is left to whoever reads it.
func checkTree(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	h, err := readHeader(f, 0)
	if err != nil {
		return err
	}
	second, err := readHeader(f, h.pageSize)
	if err != nil {
		return err
	}
	if second.tx > h.tx {
		h = second
	}
	t := &tree{file: f, header: h, left: h.pages * h.pageSize / elementSize, seen: make(map[int64]bool)}
	if err := t.walk(h.root); err != nil {
		return err
	}
	for _, root := range t.roots {
		if err := t.walk(root); err != nil {
			return err
		}
	}
	return nil
}

type tree struct {
	file io.ReaderAt
	header
	left  int64   // how many elements there may still be: a file has room for so many
	above []int64 // the pages above the one at hand
	seen  map[int64]bool
	roots []int64 // of buckets that have been come across
}

// walk walks the pages from one on downwards.
func (t *tree) walk(id int64) error {
	switch {
	case slices.Contains(t.above, id):
		return fmt.Errorf("page %d leads back to itself", id)
	case len(t.above) > maxDepth:
		return fmt.Errorf("page %d lies too deep", id)
	case t.seen[id], id < 2, id >= t.pages:
		return nil
	}
	t.seen[id] = true
	t.above = append(t.above, id)
	defer func() { t.above = t.above[:len(t.above)-1] }()
	var head [pageHead]byte
	if _, err := t.file.ReadAt(head[:], id*t.pageSize); err != nil {
		return err
	}
	count := int64(binary.LittleEndian.Uint16(head[10:]))
	leaf := binary.LittleEndian.Uint16(head[8:]) == pageLeaf
	if leaf && t.above[0] != t.root {
		return nil // there are no buckets in buckets
	}
	if t.left -= count; t.left < 0 {
		return fmt.Errorf("page %d has more elements than the file has room for", id)
	}
	if leaf {
		return t.leaf(id, count)
	}
	return t.branch(id, count)
}

// branch walks what a branch leads to.
func (t *tree) branch(id, count int64) error {
	elements, err := t.read(id*t.pageSize+pageHead, count*elementSize)
	if err != nil {
		return err
	}
	for e := range slices.Chunk(elements, elementSize) {
		if err := t.walk(int64(binary.LittleEndian.Uint64(e[8:]))); err != nil {
			return err
		}
	}
	return nil
}

// leaf notes the buckets of a leaf.
func (t *tree) leaf(id, count int64) error {
	at := id*t.pageSize + pageHead
	elements, err := t.read(at, count*elementSize)
	if err != nil {
		return err
	}
	for n, e := range slices.Collect(slices.Chunk(elements, elementSize)) {
		if binary.LittleEndian.Uint32(e) != 1 {
			continue
		}
		value := at + int64(n)*elementSize + int64(binary.LittleEndian.Uint32(e[4:])) + int64(binary.LittleEndian.Uint32(e[8:]))
		if err := t.bucket(id, value); err != nil {
			return err
		}
	}
	return nil
}

// bucket notes the root of a bucket that begins at a place of a page. One that lies
// outside the file is bbolt's to find.
func (t *tree) bucket(id, at int64) error {
	var b [bucketHead + pageHead]byte
	if _, err := t.file.ReadAt(b[:], at); err != nil {
		return nil
	}
	root := int64(binary.LittleEndian.Uint64(b[:]))
	if root == 0 && binary.LittleEndian.Uint16(b[bucketHead+8:]) != pageLeaf {
		return fmt.Errorf("page %d has a bucket that leads back to itself", id)
	}
	t.roots = append(t.roots, root)
	return nil
}

// read reads elements, of so many bytes or those that there are.
func (t *tree) read(at, size int64) ([]byte, error) {
	b := make([]byte, size)
	n, err := t.file.ReadAt(b, at)
	if err == io.EOF {
		err = nil
	}
	return b[:n/elementSize*elementSize], err
}
