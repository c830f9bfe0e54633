package journal

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"syscall"
)

// disk is the folder that a journal lies in. What it is asked to do becomes
// durable only with a sync: of a file its bytes, of the folder its names.
type disk interface {
	List() ([]string, error)
	Create(name string) (file, error)
	Open(name string, write bool) (file, error)
	Rename(from, to string) error
	Remove(name string) error
	Sync() error
}

// file is one segment's file.
type file interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	// WriteSectors is WriteAt for whole sectors in a buffer of alignedBuffer's: past
	// the page cache where that can be.
	WriteSectors(b []byte, at int64) (int, error)
	// Sync makes the bytes durable, not the times.
	Sync() error
	Size() (int64, error)
}

// folder is a disk of the operating system.
type folder string

func (d folder) path(name string) string { return filepath.Join(string(d), name) }

func (d folder) List() ([]string, error) {
	entries, err := os.ReadDir(string(d))
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name()
	}
	return names, err
}

func (d folder) Create(name string) (file, error) {
	f, err := os.OpenFile(d.path(name), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	return osFile{f, openDirect(d.path(name))}, nil
}

func (d folder) Open(name string, write bool) (file, error) {
	flag := os.O_RDONLY
	if write {
		flag = os.O_RDWR
	}
	f, err := os.OpenFile(d.path(name), flag, 0)
	switch {
	case err != nil:
		return nil, err
	case write:
		return osFile{f, openDirect(d.path(name))}, nil
	}
	return osFile{f, nil}, nil
}

func (d folder) Rename(from, to string) error { return os.Rename(d.path(from), d.path(to)) }
func (d folder) Remove(name string) error     { return os.Remove(d.path(name)) }

func (d folder) Sync() error {
	f, err := os.Open(string(d))
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// osFile is a file of the operating system, opened a second time for writes past
// the page cache where the file system takes them. Mixing both is safe here: what
// was written the one way is synced before anything is written the other way.
type osFile struct {
	*os.File
	direct *os.File // or nil
}

func (f osFile) WriteSectors(b []byte, at int64) (int, error) {
	to := f.direct
	if to == nil {
		to = f.File
	}
	return to.WriteAt(b, at)
}

func (f osFile) Close() error {
	if f.direct == nil {
		return f.File.Close()
	}
	return errors.Join(f.direct.Close(), f.File.Close())
}

func (f osFile) Sync() error { return syncData(f.File) }

func (f osFile) Size() (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// FullErrors are the errors for want of room: on the disk, in a quota, or in what
// the process may write.
var FullErrors = []syscall.Errno{syscall.ENOSPC, syscall.EDQUOT, syscall.EFBIG}

// IsFull tells whether an error is one of [FullErrors].
func IsFull(err error) bool {
	return slices.ContainsFunc(FullErrors, func(full syscall.Errno) bool { return errors.Is(err, full) })
}
