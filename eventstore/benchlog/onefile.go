package main

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"unsafe"
)

const (
	fileSize = 256 << 20
	sector   = 512
	page     = 4096
)

// oneFile writes through the page cache, at the byte where the last write ended.
func oneFile(dir string) (*peer, error) { return writeOneFile(dir, 0, encoded) }

// oneFileDirect writes whole sectors with O_DIRECT. Where the file system does not
// take that it is no peer.
func oneFileDirect(dir string) (*peer, error) {
	buf := make([]byte, 1<<20)
	skip := int(-uintptr(unsafe.Pointer(unsafe.SliceData(buf))) % page)
	buf = buf[skip : len(buf)-page]
	p, err := writeOneFile(dir, syscall.O_DIRECT, func(first, n int) ([]byte, error) {
		b, err := encoded(first, n)
		end := (len(b) + sector - 1) / sector * sector
		clear(buf[copy(buf, b):end])
		return buf[:end], err
	})
	if errors.Is(err, syscall.EINVAL) {
		return nil, nil
	}
	return p, err
}

// writeOneFile writes what it is given into a file that is there already and full
// of zeros, and syncs it.
func writeOneFile(dir string, flags int, give func(first, n int) ([]byte, error)) (*peer, error) {
	path := filepath.Join(dir, "file")
	if err := writeZeros(path); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|flags, 0)
	if err != nil {
		return nil, err
	}
	at := int64(0)
	return &peer{close: f.Close, commit: func(first, n int) error {
		b, err := give(first, n)
		if err != nil {
			return err
		}
		if at+int64(len(b)) > fileSize {
			at = 0
		}
		if _, err := f.WriteAt(b, at); err != nil {
			return err
		}
		at += int64(len(b))
		return syscall.Fdatasync(int(f.Fd()))
	}}, nil
}

func writeZeros(path string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	zeros := make([]byte, 1<<20)
	for at := int64(0); at < fileSize && err == nil; at += int64(len(zeros)) {
		_, err = f.WriteAt(zeros, at)
	}
	return errors.Join(err, f.Sync(), f.Close())
}
