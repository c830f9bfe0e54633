// Package memlog is an event log in memory: the smallest correct one, for tests.
//
// It refuses what the log on disk refuses, because both ask package codec, and it
// passes the same suite, eventstore/logtest. What it holds is gone when it is
// closed.
package memlog
