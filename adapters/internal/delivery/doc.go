// Package delivery hands the events of a connector's queue to a sink, on a
// goroutine that is there only while there is something to hand on: tens of
// thousands of silent conversations cost none.
//
// What a queue holds, and what it does when it is full, is the connector's; a
// [Worker] never looks at an event.
package delivery
