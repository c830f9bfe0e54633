// Package boltlog is the event log on disk.
//
// # What is stored
//
// A log lies in a folder, in two places. What was written last is in the folder
// journal: one frame for each batch, made durable with one write and one sync, as
// package journal draws it. Everything in front of that is in log.db, a bbolt
// database with four buckets. Every value ends with a CRC-32C over its key and the
// rest of the value, so that a value in the wrong place is as plain as a wrong bit.
//
//	meta    "format"                 the format's number, 4 bytes
//	        "id"                     the log's id, 16 bytes
//	        "last"                   the last position here and its time, 8 bytes each
//	        "journal"                the journal's id, 16 bytes, and its last frame that lies here, 8
//	blocks  position, 8 bytes        a block that begins at that position
//	chain   position, 8 bytes        a digest of everything up to the block that ends there
//	side    position, kind, 9 bytes  a side record
//
// Numbers are big-endian. docs/storage-format.md has the whole of it.
//
// In the background the packer moves runs of 4,096 events or more from the journal
// into compressed blocks, each written once, and the side records with them, in
// one transaction; then the segments of the journal that held them are zeroed and
// used again. Readers see one log: what is packed comes from the database, the
// rest from memory, where it is kept until it is packed. A backup is one file, with
// what the journal holds in it.
//
// # What it promises
//
// What [Log.Append] returned without an error for is on the disk, whole. What is
// damaged on the disk is told as an [eventstore.DamageError], never passed over
// and never a crash: bbolt trusts its file, so the file's head is looked at
// before bbolt maps it, and whatever bbolt does on a damaged page is caught. Files
// that are not of one moment are an [eventstore.CopyError].
//
// Where there is no room, an append fails with [eventstore.ErrFull], nothing of it
// is written, and the log goes on when there is room. After any other failure of a
// write or a sync it takes nothing more: [eventstore.ErrFailed].
//
// A log is made under a temporary name and takes its own only when it is whole
// and synced. Only one process at a time has a log open for writing.
//
// # What it never does
//
// It never waits for another process, holds no transaction while a caller works
// on a record, and repairs nothing but the frame that a crash has torn.
package boltlog
