// Package listen holds what every listener of the way in needs: an accept loop
// that outlives a shortage of file descriptors, and a tally that turns a flood
// of refusals into one log line an interval.
//
// It never reads from or writes to a connection.
package listen
