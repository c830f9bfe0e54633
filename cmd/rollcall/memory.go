package main

import (
	"os"
	"runtime/debug"
)

// heapGrowth is by how much the heap may grow between two garbage collections, in
// percent of what is in use. An appliance holds thousands of idle sessions: with
// half of that on top instead of Go's as much again each is a fifth smaller, and
// a login takes a sixth more of a processor (docs/performance.md).
const heapGrowth = 50

// boundMemory sets that for this process, unless GOGC in its environment says
// otherwise.
func boundMemory() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(heapGrowth)
	}
}
