package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// redis starts a server of its own on a free port of the loopback interface, and
// gives connections to it; nil where none is installed.
func redis(dir string) (*redisConns, error) {
	bin, err := exec.LookPath("redis-server")
	if err != nil {
		return nil, nil
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	server := exec.Command(bin, "--bind", "127.0.0.1", "--port", strconv.Itoa(port), "--dir", dir, "--save", "",
		"--appendonly", "yes", "--appendfsync", "always", "--auto-aof-rewrite-percentage", "0")
	server.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := server.Start(); err != nil {
		return nil, err
	}
	r := &redisConns{server: server, address: fmt.Sprintf("127.0.0.1:%d", port)}
	for range 100 {
		var c *redisConn
		if c, err = r.get(); err == nil {
			r.put(c)
			return r, nil
		}
		time.Sleep(50 * time.Millisecond) // until the server has started
	}
	return nil, errors.Join(err, r.close())
}

func redisEach(dir string) (*peer, error) {
	r, err := redis(dir)
	if r == nil || err != nil {
		return nil, err
	}
	return &peer{direct: true, commit: r.add, close: r.close}, nil
}

func redisGrouped(dir string) (*peer, error) {
	p, err := redisEach(dir)
	if p != nil {
		p.direct = false
	}
	return p, err
}

// redisConns are the connections to a server that nobody uses at the moment.
type redisConns struct {
	server  *exec.Cmd
	address string
	mu      sync.Mutex
	free    []*redisConn
}

func (r *redisConns) get() (*redisConn, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if n := len(r.free); n > 0 {
		c := r.free[n-1]
		r.free = r.free[:n-1]
		return c, nil
	}
	conn, err := net.Dial("tcp", r.address)
	if err != nil {
		return nil, err
	}
	return &redisConn{conn, bufio.NewReader(conn), nil}, nil
}

func (r *redisConns) put(c *redisConn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.free = append(r.free, c)
}

// add adds events to the stream, in one pipeline.
func (r *redisConns) add(first, n int) error {
	c, err := r.get()
	if err != nil {
		return err
	}
	defer r.put(c)
	return c.add(first, n)
}

func (r *redisConns) close() error {
	for _, c := range r.free {
		c.Close()
	}
	err := r.server.Process.Signal(syscall.SIGTERM)
	return errors.Join(err, r.server.Wait())
}

// redisConn speaks RESP (https://redis.io/docs/latest/develop/reference/protocol-spec/)
// as far as XADD needs it.
type redisConn struct {
	net.Conn
	replies *bufio.Reader
	buf     []byte
}

func (c *redisConn) add(first, n int) error {
	c.buf = c.buf[:0]
	for i := range n {
		event, err := encoded(first+i, 1)
		if err != nil {
			return err
		}
		c.buf = fmt.Appendf(c.buf, "*5\r\n$4\r\nXADD\r\n$6\r\nevents\r\n$1\r\n*\r\n$1\r\ne\r\n$%d\r\n%s\r\n", len(event), event)
	}
	if _, err := c.Write(c.buf); err != nil {
		return err
	}
	for range n {
		if err := c.reply(); err != nil {
			return err
		}
	}
	return nil
}

// reply reads the entry's id, which is a bulk string.
func (c *redisConn) reply() error {
	line, err := c.replies.ReadString('\n')
	if err != nil {
		return err
	}
	length, err := strconv.Atoi(strings.TrimSpace(strings.TrimPrefix(line, "$")))
	if err != nil || line[0] != '$' {
		return fmt.Errorf("redis answered %q", line)
	}
	_, err = io.CopyN(io.Discard, c.replies, int64(length+len("\r\n")))
	return err
}
