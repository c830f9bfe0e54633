package main

import (
	"errors"
	"fmt"
	"net"
	"syscall"
)

// listenError tells which address cannot be listened on, and what would help.
type listenError struct {
	address, setting string
	err              error
}

func (e *listenError) Error() string {
	next := "choose another with " + e.setting
	switch {
	case errors.Is(e.err, syscall.EADDRINUSE):
		return fmt.Sprintf("cannot listen on %s: the port is in use by another process; stop that one, or %s", e.address, next)
	case errors.Is(e.err, syscall.EACCES):
		return fmt.Sprintf("cannot listen on %s: not permitted; take a port above 1023, or %s", e.address, next)
	case errors.Is(e.err, syscall.EADDRNOTAVAIL):
		return fmt.Sprintf("cannot listen on %s: this machine has no such address; %s", e.address, next)
	}
	return fmt.Sprintf("cannot listen on %s: %v; give HOST:PORT, or :PORT for every address, with %s", e.address, e.err, e.setting)
}

func (e *listenError) Unwrap() error { return e.err }

// listen opens a TCP port. setting is what the address was set with.
func listen(address, setting string) (net.Listener, error) {
	ln, err := net.Listen("tcp", address)
	if err != nil {
		return nil, &listenError{address: address, setting: setting, err: err}
	}
	return ln, nil
}

// reachable gives an address that can be dialled of one that is listened on: of
// this machine where it is every address.
func reachable(address string) string {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}
