// Command benchlog measures durable appends: Rollcall's log beside others that keep
// the same events, all in one run, turn by turn, so that a busy moment of the
// machine meets them all. It is a module of its own, so that what it compares
// with is no requirement of Rollcall.
//
//	benchlog [-for 1s] [-rounds 5] [-writers 1,16,256] [-folder DIR] [-only NAME,NAME]
//
// Each row is a way of making events durable before their writers are answered:
//
//	one file       the limit: what has gathered is one write into a file that is there already, and one fdatasync
//	rollcall       the event log
//	bbolt …        one Update for each event; Batch as it comes; one Update for what has gathered
//	SQLite         WAL, synchronous=FULL, one transaction for what has gathered
//	PostgreSQL     one INSERT of many rows for what has gathered; a server of Debian's, started for the purpose
//
// An event is a record of Rollcall's, of about 12 bytes. Numbers are medians over the
// rounds. Device bytes are what the device wrote meanwhile, for other processes too;
// bytes at rest are the blocks that the files take.
package main
