package device_test

import (
	"net"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/adapters/device"
	"rollcall/domain"
	"rollcall/domain/broker"
)

// listen has the house take TCP connections and gives their address.
func (h *house) listen() string {
	h.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { l.Close() })
	h.links.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			h.serve(conn)
		}
	})
	return l.Addr().String()
}

func TestWholeStoryOverTCP(t *testing.T) {
	h := newHouse(t)
	text, err := device.Enrolment{ServerKey: h.key.Public(), Address: h.listen(), Secret: []byte("offer")}.Reveal()
	if err != nil {
		t.Fatal(err)
	}
	i, err := device.Join(t.Context(), text, filepath.Join(t.TempDir(), "identity"), "test", device.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer i.Close()
	s, err := device.NewClient(i, device.Options{}).Login(t.Context(), "chat", "alice", "correct")
	if err != nil {
		t.Fatal(err)
	}
	at := h.broker.session(s.ID())
	var got seen
	done := background(s, got.handler())
	for _, body := range everyItem {
		at.deliver(body)
	}
	if _, err := s.Send("bob", "hello"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the answer", func() bool { got.mu.Lock(); defer got.mu.Unlock(); return len(got.sent) == 1 })
	eventually(t, "the items", func() bool { got.mu.Lock(); defer got.mu.Unlock(); return len(got.items) == len(everyItem) })
	at.end(broker.Notice{Cause: domain.EndedByOperator})
	if err := <-done; err == nil {
		t.Error("Run = nil after the operator ended the session")
	}
	if diff := cmp.Diff(everyItem, got.items); diff != "" {
		t.Errorf("items (-want +got):\n%s", diff)
	}
	eventually(t, "the links are closed", func() bool { return h.server.Stats().Open == 0 })
}
