package eventstore

import (
	"context"
	"crypto/sha256"
	"io"
	"iter"

	"rollcall/domain"
)

// The words of the log, which the domain owns.
type (
	Position = domain.Position
	Record   = domain.Record
	Batch    = domain.Batch
	Side     = domain.Side
	SideKey  = domain.SideKey
)

// Boundary is a position up to which a log knows a digest of everything in it, or the
// beginning of the log.
type Boundary struct {
	Position Position
	// Digest covers every record up to Position. Logs with the same digest hold
	// the same records up to there.
	Digest [sha256.Size]byte
}

// Appender writes to a log.
type Appender interface {
	// Append writes the batch behind the record at after and gives the new last
	// position. On return without an error the whole batch is durable: it
	// survives the process and the machine losing power. After an error none of
	// it is visible, now or after reopening, except after [ErrFailed], which
	// tells that only reopening shows what the disk holds.
	//
	// The first record stands at after+1 and the positions are dense; times are
	// domain Instants and do not go back. A batch that breaks this is refused
	// with a *[BatchError]; after not being the last position, with a
	// *[ConflictError]. A batch with side records only keeps the position.
	//
	// Append may be called concurrently, but only one caller at a time can know
	// the last position. A context that is done before writing begins stops the
	// append; later it has no effect.
	Append(ctx context.Context, after Position, batch Batch) (last Position, err error)
}

// Reader reads a log. All its methods may be called concurrently with each
// other and with Append, and see whole batches only.
type Reader interface {
	// Last gives the position of the last record, zero if there is none.
	Last() Position
	// Read gives the records from position from on, ascending, up to the one
	// that was last when the iteration began. It begins at 1 where from is 0
	// and gives nothing where from is past the end. It holds no lock and no
	// transaction while the caller works on a record. The first error ends the
	// iteration; a damaged record is a *[DamageError].
	Read(ctx context.Context, from Position) iter.Seq2[Record, error]
	// Follow gives what Read gives and then each new record as soon as it is
	// durable, without a gap and without a duplicate, until ctx is done, whose
	// error then ends the iteration, or the log is closed ([ErrClosed]).
	Follow(ctx context.Context, from Position) iter.Seq2[Record, error]
}

// SideReader reads side records. Its methods may be called concurrently.
type SideReader interface {
	// Side gives one side record; ok is false if there is none.
	Side(ctx context.Context, key SideKey) (value []byte, ok bool, err error)
	// Sides gives every side record by ascending position and kind.
	Sides(ctx context.Context) iter.Seq2[Side, error]
}

// Log is a whole event log.
type Log interface {
	// ID names the log for good.
	ID() domain.LogID
	Appender
	Reader
	SideReader
	// Close waits for the append under way, if any, and closes the log. What
	// is called later fails with [ErrClosed].
	io.Closer
}
