// Package boltlog is the event log on disk.
//
// # What is stored
//
// A log is the file log.db in a folder, a bbolt database with three buckets.
// Every value ends with a CRC-32C over its key and the rest of the value, so
// that a value in the wrong place is as plain as a wrong bit.
//
//	meta    "format"                 the format's number, 4 bytes
//	        "id"                     the log's id, 16 bytes
//	        "last"                   the last position and its time, 8 bytes each
//	blocks  position, 8 bytes        a block that begins at that position
//	side    position, kind, 9 bytes  a side record
//
// Numbers are big-endian. A block is one byte, 1 for a block as it is, and the
// message Block of package codec. Each batch becomes one block in one
// transaction. docs/storage-format.md has the whole of it.
//
// # What it promises
//
// What [Log.Append] returned without an error for is on the disk, whole. What is
// damaged on the disk is told as an [eventstore.DamageError], never passed over
// and never a crash: bbolt trusts its file, so the file's head is looked at
// before bbolt maps it, and whatever bbolt does on a damaged page is caught.
//
// A log is made under a temporary name and takes its own only when it is whole
// and synced. Only one process at a time has a log open for writing.
//
// # What it never does
//
// It never waits for another process, holds no transaction while a caller works
// on a record, and repairs nothing.
package boltlog
