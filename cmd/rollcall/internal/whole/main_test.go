package whole_test

import (
	"bufio"
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"rollcall/adapters/device"
	"rollcall/domain/broker"
)

// childFolder names the folder for identities, in a process that plays devices.
const childFolder = "ROLLCALL_BENCH_DEVICES"

// TestMain lets the test binary play devices: it reads a name and an enrolment
// string a line, up to "join"; it logs all of them in at "login", and stays until
// its input ends.
func TestMain(m *testing.M) {
	folder := os.Getenv(childFolder)
	if folder == "" {
		os.Exit(m.Run())
	}
	in := bufio.NewScanner(os.Stdin)
	var names, enrolments []string
	for in.Scan() && in.Text() != "join" {
		name, enrolment, _ := strings.Cut(in.Text(), " ")
		names, enrolments = append(names, name), append(enrolments, enrolment)
	}
	clients := make([]*device.Client, len(names))
	atOnce(len(names), func(i int) error {
		identity, err := device.Join(context.Background(), enrolments[i], filepath.Join(folder, names[i]), "bench", device.Options{})
		clients[i] = device.NewClient(identity, device.Options{})
		return err
	})
	fmt.Println("joined")
	in.Scan()
	atOnce(len(names), func(i int) error { return stay(clients[i], names[i]) })
	fmt.Println("idle")
	for in.Scan() {
	}
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
