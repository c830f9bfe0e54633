package whole_test

import (
	"bufio"
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"
	"testing"

	"rollcall/adapters/device"
	"rollcall/domain/broker"
)

// What a child of this process shall play; see [bear] and [bearXMPP].
const (
	devicesFolder = "ROLLCALL_BENCH_DEVICES" // the folder for their identities
	xmppUsers     = "ROLLCALL_BENCH_XMPP"    // how many users the server has
)

// TestMain lets the test binary play devices, or an XMPP server.
func TestMain(m *testing.M) {
	switch {
	case os.Getenv(devicesFolder) != "":
		playDevices(os.Getenv(devicesFolder))
	case os.Getenv(xmppUsers) != "":
		playXMPP()
	default:
		if os.Getenv("GOGC") == "" {
			debug.SetGCPercent(50) // as 'rollcall serve' does
		}
		os.Exit(m.Run())
	}
}

// players are the devices of a child, with what it has been told.
type players struct {
	in      *bufio.Scanner
	folder  string
	names   []string
	clients []*device.Client
	talk    *talk
}

// deviceCommands are what the parent says to devices, each on a line of its own;
// all but talk are answered with a line.
var deviceCommands = map[string]func(p *players, rest string){
	"join":  (*players).join,
	"login": (*players).login,
	"again": (*players).again,
	"storm": (*players).storm,
	"talk":  (*players).startTalking,
	"hush":  (*players).stopTalking,
}

// playDevices does as it is told, until its input ends.
func playDevices(folder string) {
	p := &players{in: bufio.NewScanner(os.Stdin), folder: folder}
	for p.in.Scan() {
		command, rest, _ := strings.Cut(p.in.Text(), " ")
		deviceCommands[command](p, rest)
	}
}

// join enrols devices: a name and an enrolment string a line, up to an empty one.
func (p *players) join(string) {
	var enrolments []string
	for p.in.Scan() && p.in.Text() != "" {
		name, enrolment, _ := strings.Cut(p.in.Text(), " ")
		p.names, enrolments = append(p.names, name), append(enrolments, enrolment)
	}
	p.clients = make([]*device.Client, len(p.names))
	atOnce(len(p.names), func(i int) error {
		identity, err := device.Join(context.Background(), enrolments[i], filepath.Join(p.folder, p.names[i]), "bench", device.Options{})
		p.clients[i] = device.NewClient(identity, device.Options{})
		return err
	})
	fmt.Println("joined")
}

// login logs everybody in, who then stays; it answers when all rosters have come.
func (p *players) login(string) {
	atOnce(len(p.names), func(i int) error { return stay(p.clients[i], p.names[i]) })
	fmt.Println("idle")
}

// stay logs a device in and has it stay; it returns when the roster has come.
func stay(c *device.Client, name string) error {
	session, err := c.Login(context.Background(), "im", name, password)
	if err != nil {
		return err
	}
	roster := make(chan struct{}, 1)
	go session.Run(context.Background(), device.Handler{State: func(news broker.State) error {
		if _, ok := news.Body.(broker.RosterReceived); ok {
			roster <- struct{}{}
		}
		return nil
	}})
	<-roster
	return nil
}

// atOnce does something for each of n, 32 at a time.
func atOnce(n int, do func(i int) error) {
	var all sync.WaitGroup
	for part := range 32 {
		all.Go(func() {
			for i := part; i < n; i += 32 {
				if err := do(i); err != nil {
					log.Fatal(err)
				}
			}
		})
	}
	all.Wait()
}
