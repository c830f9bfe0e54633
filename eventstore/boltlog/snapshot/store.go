package snapshot

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"rollcall/domain"
	"rollcall/domain/broker"
	"rollcall/eventstore/boltlog"
	"rollcall/eventstore/boltlog/internal/failpoint"
)

// The files of a snapshot in the log's folder.
const (
	fileName = "ledger.snapshot"
	newName  = "ledger.snapshot.new" // until it is whole
)

// maxSize is far beyond what a million sessions take, in bytes.
const maxSize = 1 << 30

// UnusableError tells why a snapshot is not used. That harms nothing: the log is read
// from its beginning, and the next snapshot takes the place of this one.
type UnusableError struct {
	Path string
	Err  error
}

func (e *UnusableError) Error() string { return fmt.Sprintf("%s: %v", e.Path, e.Err) }

func (e *UnusableError) Unwrap() error { return e.Err }

// Store keeps one snapshot beside a log. It is safe for concurrent use, but one
// goroutine at a time saves.
type Store struct {
	dir   string
	log   *boltlog.Log
	maker maker
}

var _ broker.Snapshots = (*Store)(nil)

// New gives the store of the log that is open in the folder dir, for a version of the
// program.
func New(dir string, log *boltlog.Log, version string) *Store {
	return &Store{dir, log, makerOf(version)}
}

// Newest implements [broker.Snapshots]: the end of what is packed.
func (s *Store) Newest() domain.Position {
	sealed, _ := s.log.Sealed()
	return sealed.Position
}

// Load implements [broker.Snapshots]. The error is an *[UnusableError].
func (s *Store) Load(ctx context.Context) (loaded broker.Snapshot, ok bool, err error) {
	path := filepath.Join(s.dir, fileName)
	b, err := read(path)
	if errors.Is(err, fs.ErrNotExist) {
		return broker.Snapshot{}, false, nil
	}
	if err == nil {
		loaded, err = s.open(ctx, b)
	}
	if err != nil {
		return broker.Snapshot{}, false, &UnusableError{path, err}
	}
	return loaded, true, nil
}

func read(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxSize {
		return nil, fmt.Errorf("it has %d bytes, too many for a snapshot", info.Size())
	}
	return os.ReadFile(path)
}

// open gives the snapshot in b, if it is one of this log.
func (s *Store) open(ctx context.Context, b []byte) (broker.Snapshot, error) {
	h, content, err := parse(b)
	if err != nil {
		return broker.Snapshot{}, err
	}
	switch {
	case h.log != s.log.ID():
		return broker.Snapshot{}, fmt.Errorf("it is of another log, %s", h.log)
	case h.maker != s.maker:
		return broker.Snapshot{}, fmt.Errorf("another version of rollcall has made it")
	}
	at, known, err := s.log.BoundaryAt(ctx, h.at.Position)
	switch {
	case err != nil:
		return broker.Snapshot{}, err
	case !known:
		return broker.Snapshot{}, fmt.Errorf("it was made at position %d, and the log has no block that ends there", h.at.Position)
	case at != h.at:
		return broker.Snapshot{}, fmt.Errorf("it was made of another history: up to position %d the log has other records", h.at.Position)
	}
	loaded, err := decode(content)
	if err == nil && loaded.Ledger.Position != h.at.Position {
		err = fmt.Errorf("it says position %d and holds position %d", h.at.Position, loaded.Ledger.Position)
	}
	return loaded, err
}

// Save implements [broker.Snapshots].
func (s *Store) Save(ctx context.Context, snapshot broker.Snapshot) error {
	at, known, err := s.log.BoundaryAt(ctx, snapshot.Ledger.Position)
	if err == nil && !known {
		err = fmt.Errorf("no block ends at position %d", snapshot.Ledger.Position)
	}
	if err != nil {
		return fmt.Errorf("save a snapshot: %w", err)
	}
	b, err := encode(head{s.log.ID(), at, s.maker}, snapshot)
	if err == nil {
		err = s.write(b)
	}
	if err != nil {
		return fmt.Errorf("save a snapshot: %w", err)
	}
	return nil
}

// write puts a file in the place of the last. A crash leaves one or the other, and
// perhaps one under the new name, which the next overwrites.
func (s *Store) write(b []byte) (err error) {
	fresh := filepath.Join(s.dir, newName)
	f, err := os.OpenFile(fresh, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, ignoreMissing(os.Remove(fresh)))
		}
	}()
	if err := fill(f, b); err != nil {
		return err
	}
	failpoint.Reach(failpoint.SnapshotSynced)
	if err := os.Rename(fresh, filepath.Join(s.dir, fileName)); err != nil {
		return err
	}
	failpoint.Reach(failpoint.SnapshotNamed)
	return syncFolder(s.dir)
}

func fill(f *os.File, b []byte) error {
	half := len(b) / 2
	_, err := f.Write(b[:half])
	failpoint.Reach(failpoint.SnapshotHalf)
	if err == nil {
		_, err = f.Write(b[half:])
	}
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
