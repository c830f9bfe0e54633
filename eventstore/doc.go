// Package eventstore says what an event log is: the contract that every
// implementation keeps and the suite in eventstore/logtest proves.
//
// A log is a sequence of records with dense positions from 1 and times that
// never go back. It is written in batches, each of which becomes durable as a
// whole or not at all, by one writer at a time. Beside the records lie side
// records: personal and secret data under the position of an event, written in
// the same batch and deletable later without touching a record.
//
// Implementations: boltlog, the log on disk; memlog, the smallest correct log,
// for tests. Package feed offers any of them as a Watermill subscriber.
//
// The package decides nothing: what is worth recording, and whether it may
// happen, is the domain's.
package eventstore
