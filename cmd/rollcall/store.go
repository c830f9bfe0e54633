package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"time"

	"rollcall/eventstore/boltlog"
	"rollcall/projections"
	"rollcall/projections/configuration"
	"rollcall/projections/connectivity"
	"rollcall/projections/sessions"
	"rollcall/projections/usage"
)

// projectionsFile holds the views, in the data folder. It is disposable.
const projectionsFile = "projections.db"

// everyProjection gives the projections that an appliance keeps.
func everyProjection() []projections.Projection {
	return []projections.Projection{
		sessions.Projection(), connectivity.Projection(), configuration.Projection(), usage.Projection(),
	}
}

// store is the log and the views, opened together.
type store struct {
	log    *boltlog.Log
	views  *projections.Set
	logger *slog.Logger // nil where nothing is kept up

	unsaved atomic.Pointer[unsavedError] // why the views could not be saved when that was last tried
}

func (s *store) Close() error { return errors.Join(s.views.Close(), s.log.Close()) }

// unsavedError tells that the views are behind the log, for want of room.
type unsavedError struct{ err error }

func (e *unsavedError) Error() string {
	return fmt.Sprintf("the views are behind the log, because they cannot be saved: %v; free space on the disk of the data folder, a restart is not needed", e.err)
}

func (e *unsavedError) Unwrap() error { return e.err }

const (
	// unsavedPause is how long keepViews waits for room.
	unsavedPause = time.Second
	// unsavedReminder is how often it says so.
	unsavedReminder = time.Minute
)

var noRoom = isAny(syscall.ENOSPC, syscall.EDQUOT)

// keepViews keeps the views up to date until ctx ends. A rebuild that an operator
// asks for at the same moment may bring them up to date first.
func (s *store) keepViews(ctx context.Context) error {
	var said time.Time
	for {
		pause := 50 * time.Millisecond
		switch err := s.views.Run(ctx); {
		case errors.Is(err, projections.ErrRunning):
		case noRoom(err): // the log waits for room, too
			s.unsaved.Store(&unsavedError{err})
			if time.Since(said) > unsavedReminder {
				s.logger.Error("the views cannot be saved; trying again", "reason", reason(err), "next", "free space on the disk of the data folder; a restart is not needed")
				said = time.Now()
			}
			pause = unsavedPause
		case err != nil:
			return fmt.Errorf("the views in %s cannot be kept up: %w", projectionsFile, err)
		default:
			return nil
		}
		if sleep(ctx, pause) != nil {
			return nil
		}
	}
}

// waitForViews waits until the views are up to date, but not for room.
func (s *store) waitForViews(ctx context.Context) error {
	last := s.log.Last()
	for {
		soon, cancel := context.WithTimeout(ctx, 2*unsavedPause)
		err := s.views.WaitFor(soon, last)
		cancel()
		if err == nil {
			s.unsaved.Store(nil)
		}
		if noRoom(err) {
			return &unsavedError{err}
		}
		if err == nil || ctx.Err() != nil || !errors.Is(err, context.DeadlineExceeded) {
			return err
		}
		if unsaved := s.unsaved.Load(); unsaved != nil {
			return unsaved
		}
	}
}

// openStore opens a data folder for writing, and makes it where there is none.
func openStore(dir string, logger *slog.Logger) (*store, error) {
	log, err := boltlog.Open(dir, boltlog.Options{})
	if err != nil {
		return nil, err
	}
	views, err := projections.Open(filepath.Join(dir, projectionsFile), log, logger, everyProjection()...)
	if err != nil {
		return nil, errors.Join(err, log.Close())
	}
	return &store{log: log, views: views, logger: logger}, nil
}

// openCopy opens a stopped data folder, a copy of one, or a backup file, and
// writes nothing to it: the views are made in a file that has no name any more, so
// that nothing stays of it however the process ends.
func openCopy(path string) (_ *store, err error) {
	log, err := openWholeLog(path)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, log.Close())
		}
	}()
	scratch, err := os.MkdirTemp("", "rollcall-views-")
	if err != nil {
		return nil, err
	}
	views, err := projections.Open(filepath.Join(scratch, projectionsFile), log, slog.New(slog.DiscardHandler), everyProjection()...)
	if err := errors.Join(err, os.RemoveAll(scratch)); err != nil {
		return nil, err
	}
	return &store{log: log, views: views}, nil
}

// openAsStored opens a stopped data folder, or a copy of one, with its views as
// they are stored.
func openAsStored(dir string) (*store, error) {
	log, err := openWholeLog(dir)
	if err != nil {
		return nil, err
	}
	views, err := projections.OpenReadOnly(filepath.Join(dir, projectionsFile), log, everyProjection()...)
	switch {
	case errors.Is(err, syscall.ENOTDIR):
		return nil, errors.Join(&exitError{exitData, fmt.Errorf("%s is one file, without views to compare with its log; name a data folder, or a copy of one", dir)}, log.Close())
	case errors.Is(err, fs.ErrNotExist):
		err = fmt.Errorf("there are no views beside the log in %s to compare with: %w; 'rollcall rebuild' makes them", dir, err)
		fallthrough
	case err != nil:
		return nil, errors.Join(err, log.Close())
	}
	return &store{log: log, views: views}, nil
}

// openWholeLog opens a log whose end is not damaged: of one that it is the views would
// tell less than there was.
func openWholeLog(path string) (*boltlog.Log, error) {
	log, err := openLogForReading(path)
	if err != nil {
		return nil, err
	}
	if err := log.Damage(); err != nil {
		return nil, errors.Join(err, log.Close())
	}
	return log, nil
}

func openLogForReading(path string) (*boltlog.Log, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, noDataError(path, err)
	case err != nil:
		return nil, err
	case !info.IsDir():
		return boltlog.OpenFile(path)
	}
	log, err := boltlog.Open(path, boltlog.Options{ReadOnly: true})
	if errors.Is(err, fs.ErrNotExist) {
		return nil, noDataError(path, err)
	}
	return log, err
}

func noDataError(path string, err error) error {
	return fmt.Errorf("there is no log in %s: %w; name the data folder with --data, or begin one with 'rollcall serve' or 'rollcall service set'", path, err)
}
