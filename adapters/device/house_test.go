package device_test

import (
	"context"
	"net"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"rollcall/adapters/device"
)

// A house is a server on the fake broker, and the way to it.
type house struct {
	t      *testing.T
	broker *fakeBroker
	server *device.Server
	key    device.Key
	ctx    context.Context
	links  sync.WaitGroup
	// wrap, if set, stands between a device and the server.
	wrap func(net.Conn) net.Conn
	// down has every dialling fail.
	down error
}

func newHouse(t *testing.T, change ...func(*device.Config)) *house {
	t.Helper()
	key, err := device.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	h := &house{t: t, broker: newFakeBroker(), key: key}
	config := device.Config{Devices: h.broker, Key: key}
	for _, c := range change {
		c(&config)
	}
	h.server = device.NewServer(config)
	var cancel context.CancelFunc
	h.ctx, cancel = context.WithCancel(context.Background())
	t.Cleanup(func() {
		cancel()
		h.links.Wait()
	})
	return h
}

// dial connects over net.Pipe.
func (h *house) dial(context.Context, string, string) (net.Conn, error) {
	if h.down != nil {
		return nil, h.down
	}
	ours, theirs := net.Pipe()
	h.serve(theirs)
	if h.wrap != nil {
		return h.wrap(ours), nil
	}
	return ours, nil
}

func (h *house) serve(conn net.Conn) {
	h.links.Go(func() { h.server.Serve(h.ctx, conn, "192.0.2.1:4711") })
}

func (h *house) options() device.Options { return device.Options{Dial: h.dial} }

func (h *house) enrolment(secret string) string {
	h.t.Helper()
	text, err := device.Enrolment{ServerKey: h.key.Public(), Address: "im.example:3101", Secret: []byte(secret), Token: device.Token{1, 2, 3}}.Reveal()
	if err != nil {
		h.t.Fatal(err)
	}
	return text
}

// join gives an enrolled identity, another one each time.
func (h *house) join() *device.Identity {
	h.t.Helper()
	h.broker.offers["offer"] = nil
	path := filepath.Join(h.t.TempDir(), "identity")
	i, err := device.Join(h.t.Context(), h.enrolment("offer"), path, "test", h.options())
	if err != nil {
		h.t.Fatalf("Join = %v", err)
	}
	h.t.Cleanup(func() { i.Close() })
	return i
}

func (h *house) client(i *device.Identity) *device.Client {
	return device.NewClient(i, h.options())
}

// login gives a session with coverage.
func (h *house) login() (*device.Session, *fakeSession) {
	h.t.Helper()
	s, err := h.client(h.join()).Login(h.t.Context(), "chat", "alice", "correct")
	if err != nil {
		h.t.Fatalf("Login = %v", err)
	}
	return s, h.broker.session(s.ID())
}

// eventually waits for what another goroutine is about to do.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(5 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: not within 5 s", what)
		}
	}
}
