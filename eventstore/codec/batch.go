package codec

import (
	"fmt"
	"time"

	"rollcall/domain"
	"rollcall/eventstore"
)

// MaxBlock is the most bytes in a block, and MaxSide the most in the value of a
// side record. They bound what a reader must hold in memory.
const (
	MaxBlock = 16 << 20
	MaxSide  = 1 << 20
)

var errTooLarge = &eventstore.BatchError{Problem: fmt.Sprintf("its records take more than %d bytes; write it in parts", MaxBlock)}

// AppendBatch checks a whole batch that is to follow the record at after, whose
// time is before, and appends a block with its records to dst; nothing if it has
// none. It is the one place that says which batches a log takes: every
// implementation refuses with its *[eventstore.BatchError].
func AppendBatch(dst []byte, after domain.Position, before time.Time, batch domain.Batch) ([]byte, error) {
	if err := checkSides(after+domain.Position(len(batch.Records)), batch); err != nil {
		return dst, err
	}
	if len(batch.Records) == 0 {
		return dst, nil
	}
	return AppendBlock(dst, after, before, batch.Records)
}

// checkSides looks at the side records of a batch that ends at last.
func checkSides(last domain.Position, batch domain.Batch) error {
	refuse := func(key domain.SideKey, problem string) error {
		return &eventstore.BatchError{Problem: fmt.Sprintf("side record of kind %d under position %d: %s", key.Kind, key.Position, problem)}
	}
	for _, s := range batch.Sides {
		switch {
		case s.Kind == 0:
			return refuse(s.SideKey, "there is no kind 0")
		case s.Position == 0 || s.Position > last:
			return refuse(s.SideKey, fmt.Sprintf("the batch ends at position %d", last))
		case len(s.Value) > MaxSide:
			return refuse(s.SideKey, fmt.Sprintf("%d bytes, more than %d", len(s.Value), MaxSide))
		}
	}
	return nil
}
