// Package feed offers an event log as a Watermill subscriber, so that anything
// that handles Watermill messages can live on the log.
//
// # Topics and messages
//
// The topic is [Everything], or an event type's printed name, such as
// "login-accepted", for that type alone. A message's payload is a block of one
// record as eventstore/codec/events.proto has it, readable by itself; [Record]
// decodes it. The metadata repeat what a consumer wants to know before it
// decodes: position, type and time. The message's UUID is derived from the log's
// id and the position, and so is the same whenever the record is delivered.
//
// For a consumer that has much to catch up with, [NewBatched] gives messages of many
// records: those that are there when the first is, and never one that is waited for.
// Such a message is named after its first record; the last one's position is in its
// metadata. Delivered again to another subscription it may end elsewhere, so that
// a consumer goes by positions.
//
// # Delivery
//
// Each subscription is in the order of the log, at least once: the next message
// comes when this one is acknowledged, and one that is refused comes again. The
// cursor is the consumer's: it keeps the last position that it has dealt with,
// beside what it made of it, and opens the next feed behind that. A consumer that
// does so may acknowledge on receipt and work in batches.
//
// # What it never does
//
// It keeps no state of its own and never passes over a record: where the log
// gives an error, the subscription ends and [Subscriber.Err] tells why.
package feed
