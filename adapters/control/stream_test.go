package control_test

import (
	"context"
	"errors"
	"io"
	"iter"
	"net"
	"path/filepath"
	"testing"
	"time"

	"rollcall/adapters/control"
)

// following gives one row and then waits for the end of its context, which it
// tells on ended.
func following(ended chan<- struct{}) func(context.Context) iter.Seq2[control.AuditRow, error] {
	return func(ctx context.Context) iter.Seq2[control.AuditRow, error] {
		return func(yield func(control.AuditRow, error) bool) {
			defer close(ended)
			for yield(control.AuditRow{Position: 1}, nil) {
				<-ctx.Done()
				return
			}
		}
	}
}

const late = 10 * time.Second

func wait(t *testing.T, what string, c <-chan struct{}) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(late):
		t.Fatalf("waited %v for %s", late, what)
	}
}

// TestFollowing gets a row although no other follows that would push it out, and
// ends without an error.
func TestFollowing(t *testing.T) {
	for name, leave := range map[string]func(context.CancelFunc) (goOn bool){
		"the context ends": func(cancel context.CancelFunc) bool { cancel(); return true },
		"the loop is left": func(context.CancelFunc) bool { return false },
	} {
		t.Run(name, func(t *testing.T) {
			ended := make(chan struct{})
			op := full()
			op.rows = following(ended)
			client, _ := serve(t, op)
			ctx, cancel := context.WithTimeout(t.Context(), late)
			defer cancel()
			got := 0
			for row, err := range client.Audit(ctx, control.AuditFilter{Follow: true}) {
				if err != nil || row.Position != 1 {
					t.Fatalf("row = %+v, %v; want position 1", row, err)
				}
				got++
				if !leave(cancel) {
					break
				}
			}
			if got != 1 {
				t.Errorf("rows = %d, want 1", got)
			}
			wait(t, "the appliance to notice", ended)
		})
	}
}

func TestServerStopsWhileStreaming(t *testing.T) {
	ended := make(chan struct{})
	op := full()
	op.rows = following(ended)
	client, stop := serve(t, op)
	var last error
	for _, err := range client.Audit(t.Context(), control.AuditFilter{Follow: true}) {
		stop()
		last = err
	}
	if !errors.Is(last, control.ErrStopping) {
		t.Errorf("the last word = %v, want ErrStopping", last)
	}
	if _, err := client.Status(t.Context()); !errors.Is(err, control.ErrNotRunning) {
		t.Errorf("Status after the server has stopped = %v, want ErrNotRunning", err)
	}
}

// TestServerDiesWhileStreaming plays an appliance that is killed at each moment
// of an answer.
func TestServerDiesWhileStreaming(t *testing.T) {
	const header = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
	const row = "1a\r\n{\"answer\":{\"position\":1}}\n\r\n"
	for name, said := range map[string]string{
		"before the header":       "",
		"in the header":           header[:20],
		"after the header":        header,
		"in a row":                header + row[:12],
		"after a row":             header + row,
		"after the end of stream": header + row + "0\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			l, err := net.Listen("unix", filepath.Join(dir, control.SocketName))
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			go func() {
				for {
					conn, err := l.Accept()
					if err != nil {
						return
					}
					_, _ = conn.Read(make([]byte, 1<<12)) // the request; nothing from Dial
					_, _ = io.WriteString(conn, said)
					conn.Close()
				}
			}()
			client, err := control.Dial(t.Context(), dir)
			if err != nil {
				t.Fatal(err)
			}
			_, err = collect(client.Audit(t.Context(), control.AuditFilter{}))
			if !errors.Is(err, control.ErrConnectionLost) {
				t.Errorf("Audit = %v, want ErrConnectionLost", err)
			}
		})
	}
}

func TestContextEndsARequest(t *testing.T) {
	op := full()
	ended := make(chan struct{})
	op.rows = following(ended)
	client, _ := serve(t, op)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var last error
	for _, err := range client.Audit(ctx, control.AuditFilter{}) {
		cancel()
		last = err
	}
	if !errors.Is(last, context.Canceled) {
		t.Errorf("the last word = %v, want context.Canceled", last)
	}
	wait(t, "the appliance to notice", ended)
}
