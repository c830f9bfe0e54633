package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// narrator tells what the demo does: in colour where somebody watches, as plain
// text elsewhere, as JSON lines with -o json.
type narrator struct {
	out               io.Writer
	json              bool
	green, red, faint string
	plain             string
	number            int
}

func newNarrator(a *app) *narrator {
	n := &narrator{out: a.out, json: a.output.json}
	if f, ok := a.out.(*os.File); ok && term.IsTerminal(int(f.Fd())) && os.Getenv("NO_COLOR") == "" {
		n.green, n.red, n.faint, n.plain = "\x1b[32m", "\x1b[31m", "\x1b[2m", "\x1b[0m"
	}
	return n
}

// narratorLine is a line of JSON output.
type narratorLine struct {
	Step int    `json:"step,omitempty"`
	Kind string `json:"kind"` // title, step, held, failed, note
	Text string `json:"text"`
}

func (n *narrator) say(kind, layout, text string) {
	if n.json {
		_ = writeJSON(n.out, narratorLine{n.number, kind, text}) // as with Fprintf below: nobody is there to tell
		return
	}
	fmt.Fprintf(n.out, layout, text)
}

func (n *narrator) title(format string, args ...any) {
	n.say("title", "\n%s\n", fmt.Sprintf(format, args...))
}

func (n *narrator) step(number int, title string) {
	n.number = number
	n.say("step", fmt.Sprintf("\n%2d. %%s\n", number), title)
}

func (n *narrator) held(format string, args ...any) {
	n.say("held", "    "+n.green+"✓"+n.plain+" %s\n", fmt.Sprintf(format, args...))
}

func (n *narrator) failed(err error) {
	n.say("failed", "    "+n.red+"✗"+n.plain+" %s\n", err.Error())
}

func (n *narrator) note(format string, args ...any) {
	n.say("note", "      "+n.faint+"%s"+n.plain+"\n", strings.TrimRight(fmt.Sprintf(format, args...), " ")) // rows may end in empty columns
}
