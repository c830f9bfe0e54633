package config

import (
	"fmt"
	"net"
	"strconv"
)

// Address is where others are to connect, as HOST:PORT; it may be empty.
type Address struct{ HostPort string }

func (a Address) String() string { return a.HostPort }

// UnmarshalText reads an address. One without a host would lead whoever connects to
// a machine of their own.
func (a *Address) UnmarshalText(text []byte) error {
	a.HostPort = string(text)
	if a.HostPort == "" {
		return nil
	}
	if host, _, _ := net.SplitHostPort(a.HostPort); host == "" {
		return errAddress(a.HostPort)
	}
	return CheckAddress(a.HostPort)
}

// CheckAddress tells what is wrong with a HOST:PORT, of which the host may be empty.
func CheckAddress(text string) error {
	_, port, err := net.SplitHostPort(text)
	if n, portErr := strconv.ParseUint(port, 10, 16); err != nil || portErr != nil || n == 0 {
		return errAddress(text)
	}
	return nil
}

func errAddress(text string) error {
	return fmt.Errorf("%.80q is not HOST:PORT; write one such as \"im.example.org:3101\"", text)
}
