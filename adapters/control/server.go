package control

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

const (
	headerTimeout = 10 * time.Second
	// stopTimeout is how long requests under way have when the server stops.
	stopTimeout = 5 * time.Second
)

// Server is the appliance's end of the socket.
type Server struct {
	listener net.Listener
	kinds    errorKinds
	path     string
	socket   fs.FileInfo
}

// Listen makes the socket in dir, the data folder, for its owner alone. One that
// a process has left behind is replaced; while a process answers on it, the error
// is [ErrAlreadyRunning]. A path that is too long is a *[PathError]. kinds are
// errors that keep their identity besides those that both ends know.
//
// Requests wait until Serve is called.
func Listen(dir string, kinds ...ErrorKind) (*Server, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("make the control socket: %w", err)
	}
	if err := nobodyAnswers(dir); err != nil {
		return nil, fmt.Errorf("make the control socket: %w", err)
	}
	s := &Server{kinds: kindsAnd(kinds), path: filepath.Join(dir, SocketName)}
	if err := s.bind(dir); err != nil {
		return nil, fmt.Errorf("make the control socket: %w", err)
	}
	return s, nil
}

// nobodyAnswers gives no error where a new socket can take the place of whatever
// there is.
func nobodyAnswers(dir string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	conn, err := connect(ctx, dir)
	switch {
	case err == nil:
		return errors.Join(ErrAlreadyRunning, conn.Close())
	case !errors.Is(err, ErrNotRunning):
		return err
	}
	info, err := os.Lstat(filepath.Join(dir, SocketName))
	if err == nil && info.Mode().Type() != fs.ModeSocket {
		return fmt.Errorf("%s: %w", filepath.Join(dir, SocketName), errNoSocket)
	}
	return nil
}

// bind makes the socket in a folder that only its owner can look into, takes
// rights away, and only then puts it in its place: there is no moment at which
// somebody else could open it.
func (s *Server) bind(dir string) (err error) {
	private, err := os.MkdirTemp(dir, ".control-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(private)
	f, err := openFolder(private, SocketName)
	if err != nil {
		return err
	}
	defer f.close()
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: f.file(SocketName), Net: "unix"})
	if err != nil {
		return err
	}
	l.SetUnlinkOnClose(false) // the name is another one by then
	made := filepath.Join(private, SocketName)
	if err := errors.Join(os.Chmod(made, 0o600), os.Rename(made, s.path)); err != nil {
		return errors.Join(err, l.Close())
	}
	if s.socket, err = os.Lstat(s.path); err != nil {
		return errors.Join(err, l.Close())
	}
	s.listener = l
	return nil
}

// Close gives the socket up where Serve is not called.
func (s *Server) Close() error {
	s.remove()
	return s.listener.Close()
}

// remove takes the socket away unless somebody else's is in its place.
func (s *Server) remove() {
	if now, err := os.Lstat(s.path); err == nil && os.SameFile(now, s.socket) {
		_ = os.Remove(s.path) // one that is left behind is replaced by the next
	}
}

// Serve answers requests with what op says until ctx ends, and takes the socket
// away. Requests that are then under way are told [ErrStopping] and have a few
// seconds. It gives no error when it was stopped that way.
func (s *Server) Serve(ctx context.Context, op Operator) error {
	server := &http.Server{
		Handler:           &handler{op: op, kinds: s.kinds, stopping: ctx.Done()},
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ReadHeaderTimeout: headerTimeout,
		ErrorLog:          slog.NewLogLogger(slog.Default().Handler(), slog.LevelWarn),
	}
	stopped := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() {
		s.remove()
		bound, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
		defer cancel()
		stopped <- errors.Join(server.Shutdown(bound), server.Close())
	})
	err := server.Serve(s.listener)
	if stop() { // it was not ctx that ended it
		s.remove()
		return fmt.Errorf("serve the control socket: %w", errors.Join(err, server.Close()))
	}
	if err := <-stopped; err != nil {
		return fmt.Errorf("stop the control socket: %w", err)
	}
	return nil
}
