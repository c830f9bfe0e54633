// Package inbox keeps on disk what waits for devices: the durable [broker.Inbox].
//
// What an upstream server has delivered lies here, closed so that only the device
// can open it, until the device acknowledges its number. Upstream is told
// "received" when Put has returned, so what Put returned for must be there
// whatever happens next.
//
// # Vocabulary
//
//   - Mailbox: what waits for one device under one account.
//   - Letter: a message in a mailbox. This package never sees what is in it.
//   - Note: stands for letters that gave way when the mailbox was full.
//   - Head: the row that tells how a mailbox stands.
//   - Op: one change that somebody wants; a commit takes many.
//
// # What is stored
//
// A bbolt database with two buckets. Every value ends with a CRC-32C over its key
// and the rest of the value.
//
//	meta  "format"   the format's number, 4 bytes
//	      "log"      the id of the log that the mailboxes belong to, 16 bytes
//	rows  device 8, account 8, 1             a head
//	      device 8, account 8, 2, number 8   a letter or a note
//	      device 8, account 8, 3, number 8   up to 64 answers
//
// The rows of a mailbox stand together, so that a letter that is put, and the head
// that changes with it, mostly are on one page. Numbers are big-endian.
// docs/storage-format.md has the whole of it.
//
// # How it writes
//
// One goroutine writes. It takes whatever has gathered while it wrote last, in one
// transaction, with no timer in front, and answers all of it afterwards. What is
// forgotten is not waited for: it comes along with the next commit, or is written
// a second later. Readers skip it at once.
//
// Before a commit the file is given the blocks that it may need, so that want of
// room shows before anything is written. A part of the file is left over for
// forgetting and answering, which go on when the disk is full.
//
// # When something goes wrong
//
// Where there is no room a method gives [broker.ErrInboxFull] and has changed
// nothing. After any other failure of a write nobody knows what is on the disk: the
// inbox fails for good, see [Inbox.Failed], and a restart reads what there is. A
// damaged file is refused when it is opened, all of which is read; bbolt trusts
// its file, so the file's head is looked at before bbolt maps it, and whatever it
// does on a damaged page is caught.
//
// # What it never does
//
// It never keeps a message in the clear, tries a failed sync again, holds a
// transaction while a caller works, or gives up a letter that may be with the
// device.
package inbox
