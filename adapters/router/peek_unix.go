//go:build unix

package router

import (
	"io"
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// peekByte waits for the first byte of a socket and leaves it there, so that
// the very connection can be handed on and an idle one needs no buffer.
func peekByte(conn net.Conn) (net.Conn, error) {
	socket, ok := conn.(syscall.Conn)
	if !ok {
		return takeByte(conn)
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return nil, err
	}
	var n int
	var peekErr error
	err = raw.Read(func(fd uintptr) bool {
		var one [1]byte
		for {
			n, _, peekErr = unix.Recvfrom(int(fd), one[:], unix.MSG_PEEK)
			if peekErr != unix.EINTR {
				return peekErr != unix.EAGAIN
			}
		}
	})
	switch {
	case err != nil:
		return nil, err
	case peekErr != nil:
		return nil, peekErr
	case n == 0:
		return nil, io.EOF
	}
	return conn, nil
}
