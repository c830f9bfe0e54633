// Command replay measures how fast a history of events is read again and folded into
// live counts: Rollcall's log beside a flat file and SQLite, which hold the same
// events, all in one run, turn by turn, so that a busy moment of the machine meets
// them all.
//
//	replay [-events 2000000] [-rounds 9] [-folder DIR]
//
// The events are those of a town of 20,000 people who log in, lose coverage, come back
// and leave. Folding is the same for all: which sessions are live, and whether they are
// in coverage. Files are read warm, from the kernel's cache.
//
//	flat file     24 bytes an event: time, session, type; nothing checked, nothing compressed
//	rollcall      the event log, in blocks: checksums, decompression and every field of every event
//	SQLite        a table with the same three columns, through database/sql
//
// Below stand the parts: folding events that are in memory already, the blocks without
// folding, and decompressing alone what the log's blocks hold. Rates are medians over
// the rounds, and so is the processor time, which other work on the machine touches
// less.
package main
