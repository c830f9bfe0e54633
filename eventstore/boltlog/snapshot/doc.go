// Package snapshot keeps what the broker has made of a log in a file beside it, so
// that a start reads only what came after.
//
// The file is disposable: without it the whole log is read. It is used only if it is
// whole, was made by the same version of the program, which then folds what follows
// by the same rules, and is of the very log it lies beside, which a digest of
// everything up to its position says (see [eventstore.Boundary]): a snapshot of another
// history of the same log is none. docs/storage-format.md draws it.
//
// A snapshot is written under another name, synced, and renamed. There is nothing in
// it that is not in the log's events: no name, no key, no secret.
//
// The package decides neither when a snapshot is made nor what is in it: see
// [broker.Snapshots].
package snapshot
