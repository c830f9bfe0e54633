package device

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// senderEnv has the test binary be a client that sends messages out of coverage,
// with the identity at that path.
const senderEnv = "ROLLCALL_TEST_SENDER"

// BeSender sends until it is killed, and prints the id of each message that it was
// told is safe; false if that is not what the process is for.
func BeSender() bool {
	path := os.Getenv(senderEnv)
	if path == "" {
		return false
	}
	i, err := OpenIdentity(path)
	if err != nil {
		panic(err)
	}
	s, err := NewClient(i, Options{Dial: func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("no signal") }}).Resume("chat")
	if err != nil {
		panic(err)
	}
	for {
		id, err := s.Send("bob", "hello")
		if err != nil {
			panic(err)
		}
		fmt.Println(id)
		// As if the answer to an earlier one had come, so that the outbox does not fill up.
		if len(s.outbox) > 50 {
			_ = i.note(note{Service: "chat", Session: 1, Sent: s.outbox[0].ID}, false)
			s.outbox = s.outbox[1:]
		}
	}
}

// TestKilledClientKeepsWhatItSent kills a client at any moment, some times over,
// and looks for the last messages of which it was told that they are safe.
func TestKilledClientKeepsWhatItSent(t *testing.T) {
	path := filepath.Join(t.TempDir(), "identity")
	must(t, newIdentity(t, path).Close())
	for round := range 4 {
		sender := exec.Command(os.Args[0])
		sender.Env = append(os.Environ(), senderEnv+"="+path)
		out, err := sender.StdoutPipe()
		must(t, err)
		must(t, sender.Start())
		var safe []string
		lines := bufio.NewScanner(out)
		lines.Scan() // it is under way
		safe = append(safe, lines.Text())
		time.AfterFunc(time.Duration(20+rand.IntN(150))*time.Millisecond, func() { sender.Process.Kill() })
		for lines.Scan() {
			if len(lines.Text()) == len(safe[0]) { // else it was killed while it printed
				safe = append(safe, lines.Text())
			}
		}
		_ = sender.Wait() // it was killed
		i := openAgain(t, path)
		s, ok := i.session("chat")
		must(t, i.Close())
		for _, id := range safe[max(0, len(safe)-50):] {
			if !ok || s.find(id) < 0 {
				t.Fatalf("round %d: message %s of %d was safe and is gone", round, id, len(safe))
			}
		}
		t.Logf("round %d: killed after %d messages", round, len(safe))
	}
}
