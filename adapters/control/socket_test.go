package control_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rollcall/adapters/control"
)

func TestNobodyThere(t *testing.T) {
	dir := t.TempDir()
	stale := t.TempDir()
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(stale, control.SocketName), Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	l.Close()
	for name, path := range map[string]string{
		"no socket":                    dir,
		"no folder":                    filepath.Join(dir, "x"),
		"no folder and a long path":    filepath.Join(dir, strings.Repeat("x", 200)),
		"the socket of a dead process": stale,
	} {
		if _, err := control.Dial(t.Context(), path); !errors.Is(err, control.ErrNotRunning) {
			t.Errorf("Dial with %s = %v, want ErrNotRunning", name, err)
		}
	}
	serveIn(t, stale, full()) // takes the dead one's place
	if _, err := control.Dial(t.Context(), stale); err != nil {
		t.Errorf("Dial after a stale socket was replaced = %v", err)
	}
}

func TestSocketIsItsOwners(t *testing.T) {
	dir := t.TempDir()
	serveIn(t, dir, full())
	info, err := os.Lstat(filepath.Join(dir, control.SocketName))
	if err != nil || info.Mode() != fs.ModeSocket|0o600 {
		t.Errorf("the socket is %v, %v; want a socket with mode 0600", info, err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("the folder holds %v, %v; want the socket alone", entries, err)
	}
}

func TestOnlyOneServes(t *testing.T) {
	dir := t.TempDir()
	first, err := control.Listen(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := control.Listen(dir); !errors.Is(err, control.ErrAlreadyRunning) {
		t.Errorf("Listen twice = %v, want ErrAlreadyRunning", err)
	}
	socket := filepath.Join(dir, control.SocketName)
	if err := os.Remove(socket); err != nil { // an operator who wanted to help
		t.Fatal(err)
	}
	second, err := control.Listen(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := first.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat(socket); err != nil {
		t.Errorf("the first server took the second's socket away: %v", err)
	}
	if err := second.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat(socket); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the socket after Close: %v, want none", err)
	}
}

func TestSomethingElseInItsPlace(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, control.SocketName)
	if err := os.WriteFile(path, []byte("notes"), 0o600); err != nil {
		t.Fatal(err)
	}
	if s, err := control.Listen(dir); err == nil {
		s.Close()
		t.Error("Listen took the place of a file that is no socket")
	}
	if data, err := os.ReadFile(path); err != nil || string(data) != "notes" {
		t.Errorf("the file is now %q, %v", data, err)
	}
}

func TestLongPath(t *testing.T) {
	dir := filepath.Join(t.TempDir(), strings.Repeat("long/", 40))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	serveIn(t, dir, full())
	client, err := control.Dial(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Status(t.Context()); err != nil {
		t.Errorf("Status over a long path = %v", err)
	}
}

// TestRequestsThatAreNotUnderstood are those of another version.
func TestRequestsThatAreNotUnderstood(t *testing.T) {
	dir := t.TempDir()
	op := full()
	serveIn(t, dir, op)
	dial := func(context.Context, string, string) (net.Conn, error) {
		return net.Dial("unix", filepath.Join(dir, control.SocketName))
	}
	client := http.Client{Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}}
	for name, r := range map[string]struct{ method, path, body string }{
		"an unknown path":     {http.MethodPost, "/v1/service/rename", `{}`},
		"another method":      {http.MethodGet, "/v1/status", `{}`},
		"an unknown field":    {http.MethodPost, "/v1/service/set", `{"name": "im", "max_guests": 3}`},
		"a wrong type":        {http.MethodPost, "/v1/service/set", `{"name": 5}`},
		"no JSON":             {http.MethodPost, "/v1/service/set", `name=im`},
		"two requests in one": {http.MethodPost, "/v1/status", `{}{}`},
		"an endless request":  {http.MethodPost, "/v1/status", strings.Repeat(" ", 1<<20+1)},
	} {
		request, err := http.NewRequest(r.method, "http://appliance"+r.path, strings.NewReader(r.body))
		if err != nil {
			t.Fatal(err)
		}
		answer, err := client.Do(request)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		body, err := io.ReadAll(answer.Body)
		answer.Body.Close()
		if err != nil || !bytes.Contains(body, []byte(`{"error":{"text":`)) {
			t.Errorf("%s: answer = %s, %v; want an error", name, body, err)
		}
	}
	if op.asked != nil {
		t.Errorf("the operator was asked %+v", op.asked)
	}
}
