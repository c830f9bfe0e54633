package main

import (
	"errors"
	"fmt"
	"syscall"
	"testing"

	"rollcall/adapters/control"
	"rollcall/domain"
)

// Where the views' file cannot be made larger for want of room the appliance goes on,
// says so, and catches up when there is room. Unlike TestViewsOnAFullDisk this needs no
// disk of its own.
func TestNoRoomForViews(t *testing.T) {
	strace := straceOrSkip(t)
	h := newHouse(t)
	h.rollcall("service", "set", "office", "--kind", "local")
	h.openUnder(strace, []string{h.file(projectionsFile)}, "ftruncate", "error=ENOSPC")
	const services = 1000 // more than the file holds as it is
	kind := domain.KindLocal
	for n := range services - 1 {
		_, err := h.operator().SetService(t.Context(), control.ServiceChange{Name: domain.ServiceName(fmt.Sprint("service-", n)), Kind: &kind})
		check(t, err)
	}
	h.serve.await(`level=ERROR msg="the views cannot be saved; trying again" reason=".*no space left on device.* next="free space`)
	h.fails(exitData, "no space left on device.*a restart is not needed", "service", "list")

	check(t, syscall.Kill(tracer(t, h.serve.cmd.Process.Pid), syscall.SIGTERM)) // then calls succeed
	check(t, eventually(t.Context(), func() error {
		all, err := h.operator().Services(t.Context())
		if err == nil && len(all) < services {
			err = errors.New("services are missing")
		}
		return err
	}))
	h.shut()
	h.rollcall("rebuild", "--check")
}
