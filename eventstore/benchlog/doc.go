// Command benchlog measures durable appends: Rollcall's log beside others that keep
// the same events, all in one run, turn by turn, in an order drawn for each round,
// so that a busy moment of the machine meets them all. It is a module of its own,
// so that what it compares with is no requirement of Rollcall.
//
//	benchlog [-for 250ms] [-rounds 15] [-writers 1,16,256] [-folder DIR] [-only NAME,NAME] [-quiet 0s]
//
// Each row is a way of making events durable before their writers are answered:
//
//	one file       the limit: what has gathered is one write into a file that is there already, and one fdatasync;
//	               once through the page cache, which is the limit, and once past it, in sectors
//	rollcall       the event log
//	bbolt …        one Update for each event; Batch as it comes; one Update for what has gathered
//	SQLite         WAL, synchronous=FULL, one transaction for what has gathered
//	PostgreSQL     one INSERT of many rows for what has gathered; a server of Debian's, started for the purpose
//	Redis …        a stream, appendfsync always: XADD for each event on a connection of each writer's; one pipeline
//	               of XADDs for what has gathered; a server of Debian's, started for the purpose
//
// An event is a record of Rollcall's, of about 12 bytes. What gathers, gathers in
// the same way for all: a writer who finds nobody committing commits by itself;
// what comes meanwhile is the next commit.
//
// With -quiet each turn waits for a moment in which the machine does nothing else. Turns
// should then be long enough that what a peer leaves for later comes within them:
// Rollcall packs every 262,144 events, in the background.
//
// # The columns
//
// Numbers are medians over the rounds; "of the limit" is the median of the ratios to
// the one file in the same round.
//
// Syncs are fsync, fdatasync, msync, sync and syncfs, counted exactly: each row runs
// once more under strace, which stops the process at those calls only, and the
// calls between the first and the last event are counted.
//
// Device bytes are what the device wrote meanwhile, for other processes too: of the
// rounds, the one with the fewest for an event. Bytes at rest are by how much the
// files have grown.
package main
