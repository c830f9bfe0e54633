//go:build !linux

package sametime

import "net"

// userTimeout does nothing where the system has no such setting: a lost
// connection is then noticed when the system's own time for it is up.
func userTimeout(net.Conn) {}
