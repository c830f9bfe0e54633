package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"rollcall/adapters/control"
	"rollcall/adapters/device"
	"rollcall/domain"
	"rollcall/domain/broker"
)

// demoDevice is a person's device, a real one: it has a key, an identity file,
// and connections over TCP, which the demo can cut.
type demoDevice struct {
	name     string // the person's
	identity *device.Identity
	client   *device.Client
	air      *air
	sessions map[domain.ServiceName]*demoSession
}

// demoSession is a session of a device on a service, and what came in it.
type demoSession struct {
	*device.Session
	cancel context.CancelFunc
	over   chan error // how it ended

	mu       sync.Mutex
	messages []string // "from: body"
	contacts []string // addresses of the roster
	covered  bool
}

// demoPeople are who takes part, each with a device.
var demoPeople = []string{"Ada", "Bob", "Carl", "Dora", "Eve"}

// demoAccount and demoPassword are what a person logs in with, wherever that is.
func demoAccount(person string) string  { return strings.ToLower(person) }
func demoPassword(person string) string { return "password of " + person }

// demoAccounts gives everybody's account and its password.
func demoAccounts() []pair {
	var accounts []pair
	for _, person := range demoPeople {
		accounts = append(accounts, pair{demoAccount(person), demoPassword(person)})
	}
	return accounts
}

// join enrols a device for a person with their account on services.
func (s *stage) join(ctx context.Context, name string, services ...domain.ServiceName) error {
	account := demoAccount(name)
	var accounts []control.Account
	for _, service := range services {
		accounts = append(accounts, control.Account{Service: service, Account: account})
	}
	enrolled, err := s.op.EnrolDevice(ctx, control.Enrolment{Person: name, Accounts: accounts})
	if err != nil {
		return err
	}
	air := &air{}
	options := device.Options{Dial: air.dial, FirstPause: 50 * time.Millisecond, LongestPause: 200 * time.Millisecond}
	identity, err := device.Join(ctx, enrolled.String, filepath.Join(s.folder, account+".identity"), name+"'s phone", options)
	if err != nil {
		return err
	}
	s.devices[name] = &demoDevice{
		name: name, identity: identity, client: device.NewClient(identity, options), air: air,
		sessions: make(map[domain.ServiceName]*demoSession),
	}
	return nil
}

// login logs in and keeps the session going.
func (d *demoDevice) login(ctx context.Context, service domain.ServiceName) (*demoSession, error) {
	session, err := d.client.Login(ctx, string(service), demoAccount(d.name), demoPassword(d.name))
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	s := &demoSession{Session: session, cancel: cancel, over: make(chan error, 1)}
	d.sessions[service] = s
	go func() { s.over <- session.Run(ctx, device.Handler{Item: s.item, State: s.state, Coverage: s.coverage}) }()
	return s, nil
}

// leave lets go of the sessions and the identity.
func (d *demoDevice) leave() {
	for _, s := range d.sessions {
		s.cancel()
	}
	_ = d.identity.Close() // its folder is about to be removed
}

func (s *demoSession) item(i broker.Item) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if body, ok := i.Body.(broker.MessageReceived); ok {
		s.messages = append(s.messages, body.From+": "+body.Body)
	}
	return nil
}

func (s *demoSession) state(news broker.State) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if body, ok := news.Body.(broker.RosterReceived); ok {
		s.contacts = nil
		for _, c := range body.Contacts {
			s.contacts = append(s.contacts, c.Address)
		}
	}
	return nil
}

// lists waits until people are in the roster.
func (s *demoSession) lists(ctx context.Context, people ...string) error {
	return eventually(ctx, func() error {
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, name := range people {
			if account := demoAccount(name); !slices.Contains(s.contacts, account) {
				return fmt.Errorf("%s's roster is %q, without %s", s.Account(), s.contacts, account)
			}
		}
		return nil
	})
}

func (s *demoSession) coverage(covered bool, _ error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.covered = covered
}

// received waits for as many messages as wanted, and then some, and compares:
// each once, in order.
func (s *demoSession) received(ctx context.Context, want ...string) error {
	got := func() []string {
		s.mu.Lock()
		defer s.mu.Unlock()
		return slices.Clone(s.messages)
	}
	differ := func() error {
		if have := got(); !slices.Equal(have, want) {
			return fmt.Errorf("%s received %q, want %q", s.Account(), have, want)
		}
		return nil
	}
	if err := eventually(ctx, differ); err != nil {
		return err
	}
	if err := sleep(ctx, 200*time.Millisecond); err != nil { // one that comes twice would come now
		return err
	}
	return differ()
}

// inCoverage waits until the device is in coverage, or out of it.
func (s *demoSession) inCoverage(ctx context.Context, want bool) error {
	return eventually(ctx, func() error {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.covered != want {
			return fmt.Errorf("%s: in coverage is %t, want %t", s.Account(), s.covered, want)
		}
		return nil
	})
}

// errNoSignal is why a device cannot dial.
var errNoSignal = errors.New("no signal")

// air is what carries a device's connections, until it does not.
type air struct {
	mu    sync.Mutex
	gone  bool
	conns []net.Conn
}

func (a *air) dial(ctx context.Context, network, address string) (net.Conn, error) {
	a.mu.Lock()
	gone := a.gone
	a.mu.Unlock()
	if gone {
		return nil, errNoSignal
	}
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.conns = append(a.conns, conn)
	return conn, nil
}

// cut loses every connection without a goodbye, and lets none be made.
func (a *air) cut() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.gone = true
	for _, c := range a.conns {
		_ = c.Close()
	}
	a.conns = nil
}

func (a *air) restore() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.gone = false
}
