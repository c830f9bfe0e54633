package router

import (
	"net"
	"time"
)

// awaitFirstByte waits until the first byte is there and gives a connection
// from which it can still be read: conn itself where the system lets us look
// without taking, else one that gives the byte back. After limit, or when the
// connection ends first, it gives an error.
func awaitFirstByte(conn net.Conn, limit time.Duration) (net.Conn, error) {
	if limit < 0 {
		return conn, nil
	}
	if err := conn.SetReadDeadline(time.Now().Add(limit)); err != nil {
		return nil, err
	}
	spoken, err := peekByte(conn)
	if err != nil {
		return nil, err
	}
	return spoken, conn.SetReadDeadline(time.Time{})
}

// takeByte reads the first byte and gives a connection that gives it back.
func takeByte(conn net.Conn) (net.Conn, error) {
	first := make([]byte, 1)
	if _, err := conn.Read(first); err != nil {
		return nil, err
	}
	return &unread{Conn: conn, first: first}, nil
}

// unread is a connection whose first byte has been read already.
type unread struct {
	net.Conn
	first []byte // until it is read again
}

func (u *unread) Read(p []byte) (int, error) {
	if len(u.first) == 0 || len(p) == 0 {
		return u.Conn.Read(p)
	}
	n := copy(p, u.first)
	u.first = u.first[n:]
	return n, nil
}

// CloseWrite passes a half-close on to connections that have one.
func (u *unread) CloseWrite() error {
	if half, ok := u.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return u.Conn.Close()
}
