package bitlbeetest_test

import (
	"net"
	"testing"

	"go.uber.org/goleak"

	"rollcall/adapters/bitlbeetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestSpeaksForARealClient has the client connect to a listener that hangs up.
func TestSpeaksForARealClient(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	connected := make(chan error, 1)
	go func() {
		conn, err := l.Accept()
		if err == nil {
			conn.Close()
		}
		connected <- err
	}()
	b := bitlbeetest.Start(t)
	b.Command("plugins")
	b.Wait(`novell\s+2\.`)
	b.Wait(`Enabled Protocols: .*\bmeanwhile\b`)
	host, port, _ := net.SplitHostPort(l.Addr().String())
	a := b.AddAccount("novell", "alice", "secret")
	a.Set("server", host)
	a.Set("port", port)
	a.On()
	b.Wait(`Login error: `)
	if err := <-connected; err != nil {
		t.Fatal(err)
	}
	if b.Seen(`Logged in`) {
		t.Error("the client says that it has logged in to a server that hung up")
	}
}
