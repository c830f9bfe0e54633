package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"rollcall/adapters/device"
)

const (
	// crowdProcess is how many devices of a crowd share a process: each takes two
	// of the files that one may open.
	crowdProcess = 4000
	// crowdPassword is that of all their accounts.
	crowdPassword = "pw"
)

// playCrowd is the program `crowd FOLDER`: for each line NAME ENROLMENT of its
// input a device joins, logs in to office with the account of its name, and stays
// until the input ends. It prints `entered NAME SESSION` once, and `covered NAME
// NANOSECONDS` whenever the device comes into coverage.
func playCrowd() {
	ctx, leave := context.WithCancel(context.Background())
	var running sync.WaitGroup
	few := make(chan struct{}, 16) // who join and log in at the same time
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		name, enrolment, _ := strings.Cut(lines.Text(), " ")
		few <- struct{}{}
		running.Go(func() {
			d, err := enter(ctx, name, enrolment)
			<-few
			if err == nil {
				err = d.stay(ctx)
			}
			if !errors.Is(err, context.Canceled) {
				fmt.Printf("%s: %v\n", name, err)
			}
		})
	}
	leave()
	running.Wait()
}

// crowdDevice is a device of a crowd that is logged in.
type crowdDevice struct {
	name     string
	identity *device.Identity
	session  *device.Session
}

// enter has a device join and log in.
func enter(ctx context.Context, name, enrolment string) (*crowdDevice, error) {
	identity, err := device.Join(ctx, enrolment, filepath.Join(os.Args[1], name), name, device.Options{})
	if err != nil {
		return nil, err
	}
	// The pauses are short, so that it is the server that makes a ramp of them.
	client := device.NewClient(identity, device.Options{FirstPause: 500 * time.Millisecond, LongestPause: 2 * time.Second})
	session, err := client.Login(ctx, "office", name, crowdPassword)
	if err != nil {
		return nil, errors.Join(err, identity.Close())
	}
	fmt.Println("entered", name, session.ID())
	return &crowdDevice{name, identity, session}, nil
}

// stay keeps the session going until ctx ends, and gives why it is over.
func (d *crowdDevice) stay(ctx context.Context) error {
	defer d.identity.Close()
	return d.session.Run(ctx, device.Handler{Coverage: func(covered bool, _ error) {
		if covered {
			fmt.Println("covered", d.name, time.Now().UnixNano())
		}
	}})
}
