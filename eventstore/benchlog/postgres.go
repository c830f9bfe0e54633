package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// postgres starts a server of its own on a free port of the loopback interface; nil
// where none is installed.
func postgres(dir string) (*peer, error) {
	bins, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil || len(bins) == 0 {
		return nil, err
	}
	slices.Sort(bins)
	bin := bins[len(bins)-1]
	as, err := serverUser(dir)
	if err != nil {
		return nil, err
	}
	run := func(name string, arg ...string) *exec.Cmd {
		cmd := exec.Command(filepath.Join(bin, name), arg...)
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: as, Setpgid: true} // what interrupts us must not stop it first
		cmd.Dir = dir
		return cmd
	}
	data := filepath.Join(dir, "data")
	if out, err := run("initdb", "-D", data, "-A", "trust", "-U", "bench", "-N").CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w: %s", err, out)
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	server := run("postgres", "-D", data, "-p", strconv.Itoa(port), "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "logging_collector=off")
	if err := server.Start(); err != nil {
		return nil, err
	}
	stop := func() error {
		server.Process.Signal(os.Interrupt)
		server.Wait() // it was asked to end
		return nil
	}
	conn, err := connect(fmt.Sprintf("postgres://bench@127.0.0.1:%d/postgres?sslmode=disable", port))
	if err != nil {
		return nil, errors.Join(err, stop())
	}
	ctx := context.Background()
	if _, err := conn.Exec(ctx, "CREATE TABLE events (position bigint PRIMARY KEY, event bytea NOT NULL)"); err != nil {
		return nil, errors.Join(err, stop())
	}
	return &peer{
		commit: func(first, n int) error {
			positions, events := make([]int64, n), make([][]byte, n)
			for i := range n {
				positions[i] = int64(first + i)
				if events[i], err = encoded(first+i, 1); err != nil {
					return err
				}
			}
			_, err := conn.Exec(ctx, "INSERT INTO events SELECT * FROM unnest($1::bigint[], $2::bytea[])", positions, events)
			return err
		},
		close: func() error { return errors.Join(conn.Close(ctx), stop()) },
	}, nil
}

// serverUser gives whom the server runs as, which may not be root, and lets them
// into the folder.
func serverUser(dir string) (*syscall.Credential, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return nil, err
	}
	uid, err := strconv.Atoi(u.Uid)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.Atoi(u.Gid)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil {
		return nil, err
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, os.Chown(dir, uid, gid)
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	return l.Addr().(*net.TCPAddr).Port, l.Close()
}

func connect(url string) (conn *pgx.Conn, err error) {
	for range 100 {
		if conn, err = pgx.Connect(context.Background(), url); err == nil {
			return conn, nil
		}
		time.Sleep(50 * time.Millisecond) // until the server has started
	}
	return nil, err
}
