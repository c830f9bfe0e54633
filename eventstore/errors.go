package eventstore

import (
	"errors"
	"fmt"

	"rollcall/domain"
)

// The cases that callers tell apart.
var (
	// ErrClosed tells that the log has been closed.
	ErrClosed = errors.New("the log is closed")
	// ErrFailed tells that an earlier write to the log failed in a way that
	// leaves open what is on disk. The log takes nothing more until it is
	// opened again.
	ErrFailed = errors.New("a write to the log has failed; restart to read what the disk holds")
	// ErrReadOnly tells that the log was opened for reading.
	ErrReadOnly = errors.New("the log is open for reading only")
)

// ConflictError tells that a batch was to be written behind a record that is not
// the last one.
type ConflictError struct{ Expected, Actual Position }

func (e *ConflictError) Error() string {
	return fmt.Sprintf("conflict: the log ends at position %d, not at %d", e.Actual, e.Expected)
}

// BatchError tells why a batch can never be written.
type BatchError struct{ Problem string }

func (e *BatchError) Error() string { return "bad batch: " + e.Problem }

// InUseError tells which process has the log open.
type InUseError struct {
	Path string
	PID  int // zero if it is not known
}

func (e *InUseError) Error() string {
	who := "another process"
	if e.PID != 0 {
		who = fmt.Sprintf("process %d", e.PID)
	}
	return fmt.Sprintf("%s: the log is in use by %s; stop it first, or ask it through its control socket", e.Path, who)
}

// FormatError tells that a log was written in a format that this version does
// not know.
type FormatError struct {
	Path          string
	Found, Newest uint32
}

func (e *FormatError) Error() string {
	return fmt.Sprintf("%s: the log has format %d and this version of rollcall reads up to format %d; use a newer version", e.Path, e.Found, e.Newest)
}

// DamageError tells which stretch of a log cannot be read. The records in front
// of From are whole.
type DamageError struct {
	Path     string
	From, To Position // To is zero where the end of the damage is not known
	Problem  string
}

func (e *DamageError) Error() string {
	where := fmt.Sprintf("from position %d on", e.From)
	if e.To != 0 {
		where = fmt.Sprintf("at positions %d to %d", e.From, e.To)
	}
	return fmt.Sprintf("%s: the log is damaged %s: %s; restore it from a backup", e.Path, where, e.Problem)
}

// ChainError tells that a log's chain of digests does not fit its records. These
// can be read; only what was made of them earlier cannot be trusted to be of them.
type ChainError struct {
	Path     string
	From, To Position // the records whose digest is wrong or missing
}

func (e *ChainError) Error() string {
	return fmt.Sprintf("%s: the digest behind positions %d to %d is wrong; 'rollcall compact' makes the chain anew", e.Path, e.From, e.To)
}

// ErrFull tells that there is no room for a batch. Nothing of it was written; the
// log can be read as before, and takes batches again when there is room.
var ErrFull = domain.ErrLogFull

// CopyError tells that the files of a log are not of one moment.
type CopyError struct{ Path, Problem string }

func (e *CopyError) Error() string {
	return fmt.Sprintf("%s: %s; was the folder copied while rollcall was running, or put together from two? Use 'rollcall backup' to copy a running log, or copy the whole folder when rollcall has stopped", e.Path, e.Problem)
}
