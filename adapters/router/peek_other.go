//go:build !unix

package router

import "net"

// peekByte waits for the first byte.
func peekByte(conn net.Conn) (net.Conn, error) { return takeByte(conn) }
