package whole_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"
)

// perProcess is how many devices share a process: each takes two descriptors.
const perProcess = 4000

// child is a process that plays something, see [TestMain].
type child struct {
	testing.TB
	command *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Scanner
}

// startChild starts a child, which ends with the test at the latest.
func startChild(tb testing.TB, environment ...string) *child {
	c := &child{TB: tb, command: exec.Command(must(os.Executable())(tb))}
	c.command.Env = append(os.Environ(), environment...)
	c.command.Stderr = os.Stderr
	c.in = must(c.command.StdinPipe())(tb)
	c.out = bufio.NewScanner(must(c.command.StdoutPipe())(tb))
	c.out.Buffer(nil, 64<<20)
	check(tb, c.command.Start())
	tb.Cleanup(c.release)
	return c
}

// bear starts the devices of people from to to, as many processes as they need,
// and enrols them.
func bear(tb testing.TB, h *house, from, to int) (crowds []*child) {
	address := h.listen()
	for ; from < to; from += perProcess {
		c := startChild(tb, devicesFolder+"="+identities(tb))
		c.say("join")
		for i := from; i < min(from+perProcess, to); i++ {
			c.say(fmt.Sprint(name(i), " ", h.enrolment(i, address)))
		}
		c.say("")
		crowds = append(crowds, c)
	}
	for _, c := range crowds {
		c.await("joined")
	}
	return crowds
}

func (c *child) say(line string) {
	_, err := fmt.Fprintln(c.in, line)
	check(c, err)
}

// line waits for the next line that the child says.
func (c *child) line() string {
	if !c.out.Scan() {
		c.Fatalf("the child has ended: %v", c.out.Err())
	}
	return c.out.Text()
}

func (c *child) await(word string) {
	if line := c.line(); line != word {
		c.Fatalf("the child says %q, want %q", line, word)
	}
}

// hear waits for what the child has found out.
func (c *child) hear(into any) { check(c, json.Unmarshal([]byte(c.line()), into)) }

// tell is the child's side of hear.
func tell(v any) {
	line, err := json.Marshal(v)
	if err != nil {
		panic(err) // of our own types
	}
	fmt.Println(string(line))
}

// release lets the child end; once.
func (c *child) release() {
	if c.command == nil {
		return
	}
	_ = c.in.Close()
	_ = c.command.Wait() // how it ends matters to nobody any more
	c.command = nil
}
