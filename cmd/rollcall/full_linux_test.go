package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"rollcall/adapters/control"
	"rollcall/domain"
	"rollcall/eventstore"
	"rollcall/eventstore/boltlog"
	"rollcall/projections"
)

// smallDisk gives a folder on a disk of a few megabytes.
func smallDisk(t *testing.T) string {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("a disk of its own is needed, which only root can mount; TestNoRoomForSegments does without")
	}
	dir := t.TempDir()
	err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=16m")
	switch {
	case errors.Is(err, syscall.EPERM):
		t.Skip("a disk of its own is needed, which may not be mounted here, as in most containers; TestNoRoomForSegments does without")
	case err != nil && os.Getenv("ROLLCALL_REQUIRE_PEERS") == "1":
		t.Fatalf("a disk of its own is needed, and it cannot be mounted: %v", err)
	case err != nil:
		t.Skipf("a disk of its own cannot be mounted: %v", err)
	}
	t.Cleanup(func() { check(t, syscall.Unmount(dir, syscall.MNT_DETACH)) })
	return dir
}

// fill takes what room there is, and tells how to give it back.
func fill(t *testing.T, disk string) (giveBack func()) {
	t.Helper()
	filler := filepath.Join(disk, "filler")
	f, err := os.Create(filler)
	check(t, err)
	block := make([]byte, 4<<10)
	for err == nil {
		_, err = f.Write(block)
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	check(t, f.Close())
	return func() { check(t, os.Remove(filler)) }
}

// smallJournal makes a log whose segments are soon full.
func smallJournal(t *testing.T, dir string, segment int64) {
	t.Helper()
	log, err := boltlog.Open(dir, boltlog.Options{SegmentSize: segment})
	check(t, err)
	check(t, log.MakeRoom(t.Context()))
	check(t, log.Close())
}

// fillLog sets a service until the log takes nothing new.
func fillLog(t *testing.T, op *control.Client) {
	t.Helper()
	for n := range uint32(2000) {
		limit := 100 + n
		_, err := op.SetService(t.Context(), control.ServiceChange{Name: "office", MaxSessions: &limit})
		if errors.Is(err, eventstore.ErrFull) {
			return
		}
		check(t, err)
	}
	t.Fatal("the log still takes settings")
}

// With a full disk nobody new is let in and whoever is there can go; operators can
// look, audit and end sessions; a stop and a start work; and when there is room
// again everything goes on without a restart.
func TestFullDisk(t *testing.T) {
	disk := smallDisk(t)
	h := newHouse(t)
	h.data = filepath.Join(disk, "data")
	smallJournal(t, h.data, 128<<10)
	h.rollcall("service", "set", "office", "--kind", "local")
	h.addUsers("ada", "bob", "carol")
	h.open()
	identities := make(map[string]string)
	for _, name := range []string{"ada", "bob", "carol"} {
		identities[name] = h.join(name, "office:"+name)
	}
	login := func(name string) clientProcess { return h.login(identities[name], "office", name) }
	ada, bob := login("ada"), login("bob")
	ada.accepted()
	session := bob.accepted()
	giveBack := fill(t, disk)
	fillLog(t, h.operator())
	h.serve.await(`level=ERROR msg="the disk is full: nobody is let in until there is room.* next="free space on the disk of the data folder; a restart is not needed"`)

	carol := login("carol")
	carol.await(`"event":"rejected","code":"interrupted",.*"text":"the server's disk is full"`)
	h.fails(exitData, "there is no room for the log to grow; make room on its disk", "service", "set", "office", "--max-sessions", "5")
	h.rollcall("sessions", "list")
	h.rollcall("sessions", "count")
	h.rollcall("audit", "log", "--type", "login-accepted")
	h.rollcall("audit", "verify")
	h.fails(exitData, "no space left on device", "backup", filepath.Join(disk, "backup.db"))
	ada.say(`{"logout":{}}`)
	ada.wantExit(exitOK)
	bob.kill()
	h.state("bob", "out-of-coverage")
	h.rollcall("sessions", "end", session)
	h.shut()
	h.open()
	login("carol").await(`"event":"rejected","code":"interrupted",.*"text":"the server's disk is full"`)

	giveBack()
	h.serve.await("the log has room again, and goes on")
	login("carol").accepted()
	h.rollcall("service", "set", "office", "--max-sessions", "7")
	h.shut()
	h.rollcall("audit", "verify")
	for event, want := range map[string]int{"session-ended": 2, "coverage-lost": 1, "broker-stopped": 2, "broker-started": 2} {
		h.wantEvents(event, want)
	}
}

// Where the views cannot be saved, whoever asks for them is told so and does not wait
// for ever; when there is room they are caught up.
func TestViewsOnAFullDisk(t *testing.T) {
	disk := smallDisk(t)
	log, err := boltlog.Open(t.TempDir(), boltlog.Options{})
	check(t, err)
	defer log.Close()
	views, err := projections.Open(filepath.Join(disk, projectionsFile), log, slog.New(slog.DiscardHandler), everyProjection()...)
	check(t, err)
	defer views.Close()
	s := &store{log: log, views: views, logger: slog.New(slog.DiscardHandler)}
	ctx, stop := context.WithCancel(t.Context())
	kept := make(chan error, 1)
	go func() { kept <- s.keepViews(ctx) }()
	defer func() {
		stop()
		check(t, <-kept)
	}()
	a := &appliance{store: s, started: time.Now()}
	check(t, a.caughtUp(ctx))

	giveBack := fill(t, disk)
	const services = 20_000
	batch := eventstore.Batch{}
	for p := range eventstore.Position(services) {
		e := &domain.ServiceConfigured{Service: domain.ServiceID(p + 1), Name: domain.ServiceName(fmt.Sprint("service-", p)), Settings: domain.Settings{Kind: domain.KindLocal}}
		batch.Records = append(batch.Records, eventstore.Record{Position: p + 1, Time: a.started.UTC().Truncate(time.Millisecond), Event: e})
	}
	_, err = log.Append(ctx, 0, batch)
	check(t, err)
	if err := a.caughtUp(ctx); !errors.Is(err, syscall.ENOSPC) || exitCode(err) != exitData {
		t.Errorf("asking for views that cannot be saved: %v, exit code %d", err, exitCode(err))
	}
	giveBack()
	check(t, eventually(ctx, func() error { return a.caughtUp(ctx) }))
	if all, err := a.Services(ctx); err != nil || len(all) != services {
		t.Errorf("%d services, %v; want %d", len(all), err, services)
	}
}

// wantEvents fails unless the log has so many events of a type.
func (h *house) wantEvents(event string, want int) {
	h.t.Helper()
	log, err := boltlog.Open(h.data, boltlog.Options{ReadOnly: true})
	check(h.t, err)
	defer log.Close()
	got := 0
	for r, err := range log.Read(h.t.Context(), 1) {
		check(h.t, err)
		if r.Event.Type().String() == event {
			got++
		}
	}
	if got != want {
		h.t.Errorf("%d events %s, want %d", got, event, want)
	}
}
