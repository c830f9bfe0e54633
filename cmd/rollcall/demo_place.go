package main

import (
	"errors"
	"net"
	"path/filepath"

	"rollcall/adapters/control"
	"rollcall/adapters/groupwise/gwserver"
	"rollcall/adapters/local"
	"rollcall/adapters/sametime/stserver"
	"rollcall/domain"
)

// place is where the story is told: a server on which everybody in it has an
// account, and all others as contacts. The story is the same on each.
type place struct {
	server  string                // what it is, within a sentence
	service control.ServiceChange // what leads a service there: kind, address, options
	logins  func() int            // how many the server itself counts; nil where it is Rollcall
	close   func()
}

// openPlace opens a place for these accounts, names with passwords. What it keeps
// on disk is in the demo's folder.
type openPlace func(folder string, accounts []pair) (*place, error)

// demoKinds gives the kinds of service that the demo has a place for.
func demoKinds() []string {
	var names []string
	for _, p := range protocols {
		if p.demo != nil {
			names = append(names, string(p.kind))
		}
	}
	return names
}

// placeFor gives what opens the place for a kind, one of [demoKinds].
func placeFor(kind string) openPlace {
	for _, p := range protocols {
		if string(p.kind) == kind {
			return p.demo
		}
	}
	return nil
}

// builtInPlace is the service that needs no server.
func builtInPlace(folder string, accounts []pair) (*place, error) {
	data := demoData(folder)
	if err := makeFolder(data); err != nil {
		return nil, err
	}
	store, err := local.OpenStore(filepath.Join(data, accountsFile), local.CheapCost)
	if err != nil {
		return nil, err
	}
	for _, account := range accounts {
		if err := store.Add(local.NewAccount{Name: account.left, Password: account.right}); err != nil {
			return nil, err
		}
	}
	return &place{
		server:  "the built-in service",
		service: control.ServiceChange{Kind: new(domain.KindLocal)},
		close:   func() {},
	}, nil
}

// groupWisePlace is a double over TLS. Its certificate, which signs itself, is
// checked as a real one is, name and all: the service trusts that one alone.
func groupWisePlace(folder string, accounts []pair) (*place, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	certificateFile := filepath.Join(folder, "upstream.pem")
	config, _, err := (&doubleFlags{accounts: accounts}).groupWise(l.Addr(), certificateFile)
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return openDouble(gwserver.New(config), l, place{
		server:  "a GroupWise Messenger server's double",
		service: control.ServiceChange{Kind: new(domain.KindGroupWise), Options: map[string]string{"ca-file": certificateFile}},
	}), nil
}

// sametimePlace is a double that takes one login of a person at a time, as the
// other one does.
func sametimePlace(_ string, accounts []pair) (*place, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	config := stserver.Config{SingleLogin: true, Accounts: (&doubleFlags{accounts: accounts}).sametimeAccounts()}
	return openDouble(stserver.New(config), l, place{
		server:  "a Sametime community server's double",
		service: control.ServiceChange{Kind: new(domain.KindSametime)},
	}), nil
}

// openDouble runs a double in this process, and completes the place with it.
func openDouble(server interface {
	double
	Sessions() int
}, l net.Listener, p place) *place {
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	p.service.Address = new(l.Addr().String())
	p.logins = server.Sessions
	p.close = func() {
		server.Close()
		<-served // a server that failed on its own has failed the step that came to it
	}
	return &p
}
