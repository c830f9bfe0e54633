// Package logtest is the suite that every event log passes.
//
// [Run] puts each promise of the contract in package eventstore to the test:
// dense positions, conflicts, whole batches or none, side records, reading from
// anywhere, following without a gap or a duplicate while others append, closing,
// and, where the log claims to outlive its process, reopening. A model test
// compares the log with a slice over long random histories.
//
// It tests logs, not what they hold: the events are any that fit.
package logtest
