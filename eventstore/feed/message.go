package feed

import (
	"fmt"
	"strconv"

	"github.com/ThreeDotsLabs/watermill/message"

	"rollcall/domain"
	"rollcall/eventstore"
	"rollcall/eventstore/codec"
)

// The metadata of a message.
const (
	MetadataPosition = "position" // decimal
	MetadataType     = "type"     // the event type's printed name
	MetadataTime     = "time"     // RFC 3339, UTC, milliseconds
)

const timeFormat = "2006-01-02T15:04:05.000Z07:00"

// PayloadError tells that a message does not hold one record of a log.
type PayloadError struct {
	Message string // its UUID
	Err     error
}

func (e *PayloadError) Error() string {
	return fmt.Sprintf("message %s holds no record: %v", e.Message, e.Err)
}

func (e *PayloadError) Unwrap() error { return e.Err }

// encode makes the message for a record of the log with that id.
func encode(id domain.LogID, r eventstore.Record) (*message.Message, error) {
	payload, err := codec.AppendBlock(nil, r.Position-1, r.Time, []eventstore.Record{r})
	if err != nil {
		return nil, err
	}
	m := message.NewMessage(id.UUID(r.Position).String(), payload)
	m.Metadata.Set(MetadataPosition, strconv.FormatUint(uint64(r.Position), 10))
	m.Metadata.Set(MetadataType, r.Event.Type().String())
	m.Metadata.Set(MetadataTime, r.Time.Format(timeFormat))
	return m, nil
}

// Record gives the record that a message holds. An error is a *[PayloadError].
func Record(m *message.Message) (eventstore.Record, error) {
	fail := func(err error) (eventstore.Record, error) {
		return eventstore.Record{}, &PayloadError{Message: m.UUID, Err: err}
	}
	block, err := codec.OpenBlock(m.Payload)
	if err != nil {
		return fail(err)
	}
	var record eventstore.Record
	for r, err := range block.Records() {
		if err != nil {
			return fail(err)
		}
		if record.Event != nil {
			return fail(fmt.Errorf("there is another one at position %d", r.Position))
		}
		record = r
	}
	if record.Event == nil {
		return fail(fmt.Errorf("the block is empty"))
	}
	return record, nil
}
