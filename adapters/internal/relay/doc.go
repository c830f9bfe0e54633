// Package relay copies bytes between two connections, both ways, for tens of
// thousands of pairs that are silent nearly all the time.
//
// An idle direction costs one goroutine and 512 bytes. Where more than that
// comes at once, the direction borrows a 32 KiB buffer from a bounded stock for
// the burst; with the stock empty it goes on with its small one, so that no
// number of senders makes the process grow.
//
// It never looks at what it copies.
package relay
