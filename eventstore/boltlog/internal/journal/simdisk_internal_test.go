package journal

import (
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"syscall"
	"unsafe"
)

// simDisk is a disk in memory that keeps a trace of what it was asked to do, so
// that what a power cut can leave of it can be made.
type simDisk struct {
	names map[string]*simFile
	trace []simOp
	files int
}

// simOp is one step of the trace.
type simOp struct {
	kind     simKind
	file     *simFile
	at       int64
	data     []byte
	name, to string
}

type simKind int

const (
	simCreate simKind = iota
	simWrite
	simSyncFile
	simRename
	simRemove
	simSyncNames
	simNote // nothing that the disk does: a mark of the test, its number in at
)

type simFile struct {
	disk *simDisk
	id   int
	b    []byte
	way  map[int64]string // how each page was written since the last sync
}

// mix notes which way pages are written. A page that is written both ways without a
// sync in between may end as either.
func (f *simFile) mix(way string, b []byte, at int64) error {
	if f.way == nil {
		f.way = make(map[int64]string)
	}
	for page := at / 4096; page*4096 < at+int64(len(b)); page++ {
		if other := f.way[page]; other != "" && other != way {
			return fmt.Errorf("page %d of file %d is written %s, and was %s, without a sync in between", page, f.id, way, other)
		}
		f.way[page] = way
	}
	return nil
}

func newSimDisk() *simDisk { return &simDisk{names: make(map[string]*simFile)} }

func (d *simDisk) did(op simOp) { d.trace = append(d.trace, op) }

func (d *simDisk) List() ([]string, error) { return slices.Sorted(maps.Keys(d.names)), nil }

func (d *simDisk) Create(name string) (file, error) {
	if d.names[name] != nil {
		return nil, fs.ErrExist
	}
	d.files++
	f := &simFile{disk: d, id: d.files}
	d.names[name] = f
	d.did(simOp{kind: simCreate, file: f, name: name})
	return f, nil
}

func (d *simDisk) Open(name string, _ bool) (file, error) {
	if f := d.names[name]; f != nil {
		return f, nil
	}
	return nil, fs.ErrNotExist
}

func (d *simDisk) Rename(from, to string) error {
	f := d.names[from]
	if f == nil {
		return fs.ErrNotExist
	}
	delete(d.names, from)
	d.names[to] = f
	d.did(simOp{kind: simRename, file: f, name: from, to: to})
	return nil
}

func (d *simDisk) Remove(name string) error {
	if d.names[name] == nil {
		return fs.ErrNotExist
	}
	delete(d.names, name)
	d.did(simOp{kind: simRemove, name: name})
	return nil
}

func (d *simDisk) Sync() error {
	d.did(simOp{kind: simSyncNames})
	return nil
}

func (f *simFile) ReadAt(b []byte, at int64) (int, error) {
	n := copy(b, f.b[min(at, int64(len(f.b))):])
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

func (f *simFile) WriteAt(b []byte, at int64) (int, error) {
	if err := f.mix("through the cache", b, at); err != nil {
		return 0, err
	}
	return f.write(b, at)
}

func (f *simFile) write(b []byte, at int64) (int, error) {
	f.disk.did(simOp{kind: simWrite, file: f, at: at, data: slices.Clone(b)})
	f.b = overwrite(f.b, b, at)
	return len(b), nil
}

// WriteSectors is as strict as a device of 512-byte sectors and pages of memory.
func (f *simFile) WriteSectors(b []byte, at int64) (int, error) {
	if memory := uintptr(unsafe.Pointer(unsafe.SliceData(b))); memory%4096 != 0 || len(b)%512 != 0 || at%512 != 0 {
		return 0, fmt.Errorf("%d bytes at %#x in memory to %d in the file: %w", len(b), memory, at, syscall.E2BIG)
	}
	if err := f.mix("past the cache", b, at); err != nil {
		return 0, err
	}
	return f.write(b, at)
}

func (f *simFile) Sync() error {
	clear(f.way)
	f.disk.did(simOp{kind: simSyncFile, file: f})
	return nil
}

func (f *simFile) Size() (int64, error) { return int64(len(f.b)), nil }
func (f *simFile) Close() error         { return nil }

func overwrite(to, b []byte, at int64) []byte {
	if need := int(at) + len(b); need > len(to) {
		to = append(to, make([]byte, need-len(to))...)
	}
	copy(to[at:], b)
	return to
}

// sectorsOf cuts a write into what a disk writes as a whole.
func (op simOp) sectorsOf() (parts []simOp) {
	for at, data := op.at, op.data; len(data) > 0; {
		n := min(int64(len(data)), sectorSize-at%sectorSize)
		parts = append(parts, simOp{kind: simWrite, file: op.file, at: at, data: data[:n]})
		at, data = at+n, data[n:]
	}
	return parts
}

// split gives the steps of a trace, sector by sector, and which of them are not
// covered by a later sync: each of those may or may not be on the disk after a
// power cut.
func split(trace []simOp) (steps []simOp, loose []int) {
	for _, op := range trace {
		if op.kind == simWrite {
			steps = append(steps, op.sectorsOf()...)
		} else {
			steps = append(steps, op)
		}
	}
	synced, names := make(map[*simFile]bool), false
	for i, op := range slices.Backward(steps) {
		switch op.kind {
		case simSyncFile:
			synced[op.file] = true
		case simSyncNames:
			names = true
		case simWrite:
			if !synced[op.file] {
				loose = append(loose, i)
			}
		case simCreate, simRename, simRemove:
			if !names {
				loose = append(loose, i)
			}
		}
	}
	return steps, loose
}

// after gives the disk on which the steps are done but for those lost.
func after(steps []simOp, lost map[int]bool) *simDisk {
	d := newSimDisk()
	files := make(map[*simFile]*simFile)
	file := func(f *simFile) *simFile {
		if files[f] == nil {
			d.files++
			files[f] = &simFile{disk: d, id: d.files}
		}
		return files[f]
	}
	for i, op := range steps {
		if lost[i] {
			continue
		}
		switch op.kind {
		case simCreate:
			d.names[op.name] = file(op.file)
		case simWrite:
			f := file(op.file)
			f.b = overwrite(f.b, op.data, op.at)
		case simRename:
			delete(d.names, op.name)
			d.names[op.to] = file(op.file)
		case simRemove:
			delete(d.names, op.name)
		}
	}
	return d
}

func (op simOp) String() string {
	switch op.kind {
	case simCreate:
		return "create " + op.name
	case simWrite:
		return fmt.Sprintf("write file %d at %d, %d bytes", op.file.id, op.at, len(op.data))
	case simSyncFile:
		return fmt.Sprintf("sync file %d", op.file.id)
	case simRename:
		return "rename " + op.name + " " + op.to
	case simRemove:
		return "remove " + op.name
	case simSyncNames:
		return "sync names"
	default:
		return fmt.Sprintf("note %d", op.at)
	}
}
