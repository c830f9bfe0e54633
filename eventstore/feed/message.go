package feed

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/ThreeDotsLabs/watermill/message"

	"rollcall/eventstore"
	"rollcall/eventstore/codec"
)

// The metadata of a message.
const (
	MetadataPosition = "position" // of the first record, decimal
	MetadataTime     = "time"     // of the first record, RFC 3339, UTC, milliseconds
	MetadataType     = "type"     // the event type's printed name; only New's messages have it
	MetadataLast     = "last"     // the position of the last record; only NewBatched's have it
)

const timeFormat = "2006-01-02T15:04:05.000Z07:00"

// PayloadError tells that a message does not hold records of a log.
type PayloadError struct {
	Message string // its UUID
	Err     error
}

func (e *PayloadError) Error() string {
	return fmt.Sprintf("message %s does not hold what it should: %v", e.Message, e.Err)
}

func (e *PayloadError) Unwrap() error { return e.Err }

// encode makes the message for records that follow one another.
func (s *Subscriber) encode(records []eventstore.Record) (*message.Message, error) {
	first, last := records[0], records[len(records)-1]
	payload, err := codec.AppendBlock(nil, first.Position-1, first.Time, records)
	if err != nil {
		return nil, err
	}
	m := message.NewMessage(s.log.ID().UUID(first.Position).String(), payload)
	m.Metadata.Set(MetadataPosition, decimal(first.Position))
	m.Metadata.Set(MetadataTime, first.Time.Format(timeFormat))
	if s.most == 1 {
		m.Metadata.Set(MetadataType, first.Event.Type().String())
	} else {
		m.Metadata.Set(MetadataLast, decimal(last.Position))
	}
	return m, nil
}

func decimal(p eventstore.Position) string { return strconv.FormatUint(uint64(p), 10) }

// Record gives the one record that a message holds. An error is a *[PayloadError].
func Record(m *message.Message) (eventstore.Record, error) {
	records, err := Records(m)
	if err == nil && len(records) > 1 {
		err = &PayloadError{m.UUID, fmt.Errorf("there is another record at position %d", records[1].Position)}
	}
	if err != nil {
		return eventstore.Record{}, err
	}
	return records[0], nil
}

// Records gives the records that a message holds, at least one. An error is a
// *[PayloadError].
func Records(m *message.Message) (records []eventstore.Record, err error) {
	block, err := codec.OpenBlock(m.Payload)
	if err != nil {
		return nil, &PayloadError{m.UUID, err}
	}
	for r, err := range block.Records() {
		if err != nil {
			return nil, &PayloadError{m.UUID, err}
		}
		records = append(records, r)
	}
	if len(records) == 0 {
		return nil, &PayloadError{m.UUID, errors.New("the block is empty")}
	}
	return records, nil
}
