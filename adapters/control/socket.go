package control

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"syscall"
)

// SocketName is the name of the socket in the data folder.
const SocketName = "control.sock"

// maxAddress is the longest path that a socket's address holds: 107 bytes on
// Linux, 103 on other systems.
const maxAddress = 103

// PathError tells that the data folder's path is too long for a socket in it.
type PathError struct {
	Path string
	Most int
}

func (e *PathError) Error() string {
	return fmt.Sprintf("%s: the path has %d bytes, and a socket's can have %d; use a data folder with a shorter path, or go into it and name it '.'", e.Path, len(e.Path), e.Most)
}

// folder is a data folder by a path that is short enough for a socket in it.
type folder struct {
	path string
	open *os.File // keeps path alive; nil where it needs nothing
}

// openFolder gives the folder, with room for name behind it. Where its own path
// is too long, one through its open file takes its place (see proc(5)).
func openFolder(dir, name string) (folder, error) {
	if long := filepath.Join(dir, name); len(long) <= maxAddress {
		return folder{path: dir}, nil
	}
	f, err := os.Open(dir)
	if err != nil {
		return folder{}, err
	}
	short := fmt.Sprintf("/proc/self/fd/%d", f.Fd())
	if _, err := os.Stat(short); err != nil {
		return folder{}, errors.Join(&PathError{Path: filepath.Join(dir, name), Most: maxAddress}, f.Close())
	}
	return folder{path: short, open: f}, nil
}

func (f folder) close() error {
	if f.open == nil {
		return nil
	}
	return f.open.Close()
}

func (f folder) file(name string) string { return filepath.Join(f.path, name) }

// connect opens a connection to the socket in dir: [ErrNotRunning] where nobody
// answers, an [fs.ErrPermission] where the caller may not ask.
func connect(ctx context.Context, dir string) (net.Conn, error) {
	f, err := openFolder(dir, SocketName)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNotRunning
	} else if err != nil {
		return nil, err
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, "unix", f.file(SocketName))
	err = errors.Join(dialError(dir, err), f.close())
	if err != nil && conn != nil {
		err = errors.Join(err, conn.Close())
	}
	return conn, err
}

func dialError(dir string, err error) error {
	path := filepath.Join(dir, SocketName)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.ENOTDIR):
		return ErrNotRunning
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%s: only the user that the appliance runs as may use it; run this as that user: %w", path, fs.ErrPermission)
	case errors.Is(err, syscall.ENOTSOCK), errors.Is(err, syscall.EPROTOTYPE):
		return fmt.Errorf("%s: %w", path, errNoSocket)
	}
	return err
}

var errNoSocket = errors.New("this is no control socket; move it out of the way")
