// Package audit turns the records of a log into rows that an operator reads: each
// event with the names of what it refers to, filtered.
//
// An event holds numbers only. Which device asked for which account, and what
// those are called, lies in earlier events and in side records. The package reads
// the log from its beginning, remembers of each live thing what later events may
// refer to, and forgets a session once it is over: memory grows with what is live,
// not with what happened.
//
// It works on any log that can be read and writes nothing. A name whose side
// record has been deleted is empty.
package audit
