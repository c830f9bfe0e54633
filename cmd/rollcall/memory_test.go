package main

import (
	"runtime/debug"
	"testing"
)

func TestMemoryIsBoundedUnlessToldOtherwise(t *testing.T) {
	before := debug.SetGCPercent(100)
	defer debug.SetGCPercent(before)
	for gogc, want := range map[string]int{"": heapGrowth, "300": 100} {
		t.Setenv("GOGC", gogc)
		boundMemory()
		if got := debug.SetGCPercent(100); got != want {
			t.Errorf("with GOGC=%q the heap grows by %d%%, want %d%%", gogc, got, want)
		}
	}
}
