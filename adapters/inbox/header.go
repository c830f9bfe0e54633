package inbox

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"os"
)

// A bbolt file begins with two pages, each with a header of the database, written
// in turns:
//
//	 0  page header   16
//	16  magic          4  0xED0CDAED
//	20  version        4  2
//	24  page size      4
//	28  flags          4
//	32  root bucket   16
//	48  freelist       8
//	56  page count     8
//	64  transaction    8
//	72  checksum       8  FNV-1a, 64 bits, over bytes 16 to 71
//
// The numbers are little-endian, as bbolt writes them on the machines that
// Rollcall runs on.
const (
	headerSize  = 80
	boltMagic   = 0xED0CDAED
	boltVersion = 2
	minPageSize = 1 << 10
	maxPageSize = 1 << 16
)

var errHeader = errors.New("a header page is damaged")

// checkHeader looks at what bbolt would trust: whether both headers are whole,
// because bbolt silently goes back by one transaction where the newer one is
// not, and whether the file is as long as they say, because reading past the end
// of a mapped file ends the process.
func checkHeader(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	first, err := readHeader(f, 0)
	if err != nil {
		return err
	}
	second, err := readHeader(f, first.pageSize)
	if err != nil {
		return err
	}
	if need := max(first.pages, second.pages) * first.pageSize; info.Size() < need {
		return fmt.Errorf("the file has been cut off: %d bytes of at least %d are left", info.Size(), need)
	}
	return nil
}

type header struct{ pageSize, root, pages, tx int64 }

func readHeader(f io.ReaderAt, at int64) (header, error) {
	var b [headerSize]byte
	if _, err := f.ReadAt(b[:], at); err != nil {
		return header{}, fmt.Errorf("%w: %w", errHeader, err)
	}
	sum := fnv.New64a()
	sum.Write(b[16:72])
	h := header{
		pageSize: int64(binary.LittleEndian.Uint32(b[24:])),
		root:     int64(binary.LittleEndian.Uint64(b[32:])),
		pages:    int64(binary.LittleEndian.Uint64(b[56:])),
		tx:       int64(binary.LittleEndian.Uint64(b[64:])),
	}
	switch {
	case binary.LittleEndian.Uint32(b[16:]) != boltMagic, binary.LittleEndian.Uint32(b[20:]) != boltVersion:
		return header{}, fmt.Errorf("%w: it is not one of an inbox", errHeader)
	case binary.LittleEndian.Uint64(b[72:]) != sum.Sum64():
		return header{}, fmt.Errorf("%w: its checksum is wrong", errHeader)
	case h.pageSize < minPageSize || h.pageSize > maxPageSize || h.pages < 0 || h.pages > 1<<40:
		return header{}, fmt.Errorf("%w: it tells of %d pages of %d bytes", errHeader, h.pages, h.pageSize)
	}
	return h, nil
}

// settleHeader writes both headers once more as they are, and syncs. The process
// before this one may have been killed, or have failed, between writing a header and
// syncing it: then the kernel has it, and may even hold it for written, and the disk
// has the one before it, whose pages the next transaction takes for free. The lock on
// the file has to be held.
func settleHeader(path string) (err error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	first, err := readHeader(f, 0)
	if err != nil {
		return err
	}
	for _, at := range []int64{0, first.pageSize} {
		var b [headerSize]byte
		if _, err := f.ReadAt(b[:], at); err != nil {
			return err
		}
		if _, err := f.WriteAt(b[:], at); err != nil {
			return err
		}
	}
	return f.Sync()
}
