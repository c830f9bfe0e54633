package main

import (
	"context"
	"testing"
	"time"
)

// soon is how long an appliance may take to end after a file could not be written:
// far less than a message may take on its way upstream.
const soon = 5 * time.Second

// Whatever call fails on the file of what waits for devices, while they write to
// each other, the appliance says so at once, and soon ends with its exit code; after
// a start every message arrives, once, and is answered.
func TestInboxFailsUnderLoad(t *testing.T) {
	strace := straceOrSkip(t)
	for _, call := range []string{"fdatasync", "pwrite64"} {
		t.Run(call, func(t *testing.T) {
			h := newHouse(t)
			h.rollcall("service", "set", "office", "--kind", "local")
			h.open()
			c := converse(t, h, "office", 2, 0)
			h.shut()
			h.openUnder(strace, []string{h.file("inbox.db")}, call, "error=EIO:when=3+")
			c.exchange(t, nil, func(context.Context) {
				h.serve.await(`level=ERROR msg="stopping: a part of rollcall has failed" reason=".*inbox.*input/output error`)
				failed := time.Now()
				h.serve.wantExit(exitData)
				if took := time.Since(failed); took > soon {
					t.Errorf("the appliance took %v to end, want no more than %v", took, soon)
				}
				h.serve.await(`level=ERROR msg="rollcall has ended with an error" reason=".*inbox.db.*input/output error.* next="look after the disk`)
				h.open()
			})
			h.shut()
		})
	}
}
