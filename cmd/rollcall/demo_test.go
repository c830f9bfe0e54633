package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"rollcall/domain"
	"rollcall/domain/broker"
)

// play runs the demo in this process and gives its exit code and its output.
func play(t *testing.T, wrap func(broker.Devices) broker.Devices, args ...string) (code int, out, errOut string) {
	t.Helper()
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	var stdout, stderr bytes.Buffer
	a := newApp(null, &stdout, &stderr)
	a.wrap = wrap
	code = a.execute(t.Context(), append([]string{"demo"}, args...))
	return code, stdout.String(), stderr.String()
}

// TestDemoHolds plays the demo on every kind of service that it knows.
func TestDemoHolds(t *testing.T) {
	story := []string{"“Server Busy”", "“Failed (300)”", "in Bob's place", "came in order, once", "nobody typed a password", "All 10 steps held"}
	server := "the server itself has 4 logins"
	tests := map[domain.Kind]struct {
		args []string
		told []string
	}{
		domain.KindLocal:     {nil, []string{"the built-in service", "kind local"}},
		domain.KindGroupWise: {[]string{"--service", "groupwise"}, []string{"a GroupWise Messenger server's double", "kind groupwise, at 127.0.0.1:", "ca-file=", server}},
		domain.KindSametime:  {[]string{"--service", "sametime"}, []string{"a Sametime community server's double", "kind sametime, at 127.0.0.1:", server}},
	}
	for _, kind := range demoKinds() {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			test, ok := tests[domain.Kind(kind)]
			if !ok {
				t.Fatal("nothing says what the demo tells on it")
			}
			code, out, errOut := play(t, nil, test.args...)
			if code != exitOK || errOut != "" {
				t.Fatalf("exit code %d, and on standard error: %s\n%s", code, errOut, out)
			}
			for _, part := range append(story, test.told...) {
				if !strings.Contains(out, part) {
					t.Errorf("the demo does not tell %q:\n%s", part, out)
				}
			}
			if strings.ContainsAny(out, "\x1b✗") {
				t.Errorf("colour codes or a failed step in plain output:\n%s", out)
			}
		})
	}
}

// mislabel answers every refused login with another reason: what an appliance
// would do whose rules are broken.
type mislabel struct{ broker.Devices }

func (d mislabel) Login(ctx context.Context, login broker.Login, link broker.Link) (broker.Session, error) {
	return d.Devices.Login(ctx, login, mislabelLink{link})
}

type mislabelLink struct{ broker.Link }

func (l mislabelLink) Send(m broker.ToDevice) error {
	if r, ok := m.(broker.Rejected); ok {
		r.Code = domain.RejectNotPermitted
		m = r
	}
	return l.Link.Send(m)
}

func TestDemoFailsWhereAStepDoesNotHold(t *testing.T) {
	for _, kind := range demoKinds() {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			code, out, errOut := play(t, func(d broker.Devices) broker.Devices { return mislabel{d} }, "-o", "json", "--service", kind)
			if code != exitFailure {
				t.Errorf("exit code %d, want %d", code, exitFailure)
			}
			if want := "a step did not hold: step 4 of 10"; !strings.Contains(errOut, want) {
				t.Errorf("standard error is %q, want %q in it", errOut, want)
			}
			wantFailed(t, out, 4, "want server-busy")
		})
	}
}

// wantFailed checks that the last line of JSON says that a step failed, and why.
func wantFailed(t *testing.T, out string, step int, why string) {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(out), "\n")
	var last narratorLine
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &last); err != nil {
		t.Fatal(err)
	}
	if last.Kind != "failed" || last.Step != step || !strings.Contains(last.Text, why) {
		t.Errorf("the last line is %+v, want step %d to fail with %q", last, step, why)
	}
}

// TestDemoFailsWhereTheServerDoesNotAgree breaks what is the server's part.
func TestDemoFailsWhereTheServerDoesNotAgree(t *testing.T) {
	tests := map[string]struct {
		kind  domain.Kind
		spoil func(t *testing.T, p *place)
		why   string
	}{
		"another certificate": {domain.KindGroupWise, func(t *testing.T, p *place) {
			other, err := groupWisePlace(t.TempDir(), demoAccounts())
			check(t, err)
			t.Cleanup(other.close)
			p.service.Options = other.service.Options
		}, "upstream-unreachable"},
		"nobody there": {domain.KindSametime, func(_ *testing.T, p *place) { p.close(); p.close = func() {} }, "upstream-unreachable"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			a := newApp(nil, &out, &out)
			a.output.json = true
			err := a.demo(t.Context(), func(folder string, accounts []pair) (*place, error) {
				p, err := placeFor(string(test.kind))(folder, accounts)
				if err == nil {
					test.spoil(t, p)
				}
				return p, err
			}, slog.New(slog.DiscardHandler))
			if !errors.Is(err, errDemoFailed) || exitCode(err) != exitFailure {
				t.Errorf("the demo gave %v", err)
			}
			wantFailed(t, out.String(), 3, test.why)
		})
	}
}

// TestStageAsksTheServerItself holds the demo to the server's own count.
func TestStageAsksTheServerItself(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	s := &stage{place: &place{server: "it", logins: func() int { return 3 }}}
	n := newNarrator(newApp(nil, io.Discard, io.Discard))
	if err := s.logins(ctx, n, 3); err != nil {
		t.Errorf("3 of 3 logins: %v", err)
	}
	if err := s.logins(ctx, n, 2); err == nil || !strings.Contains(err.Error(), "it has 3 logins, want 2") {
		t.Errorf("3 logins in place of 2 gave %v", err)
	}
}

// A note whose last columns are empty does not end in blanks.
func TestNotesDoNotEndInBlanks(t *testing.T) {
	var out bytes.Buffer
	newNarrator(newApp(nil, &out, io.Discard)).note("%-17s %-5s %s", "broker-stopped", "", "")
	if got, want := out.String(), "      broker-stopped\n"; got != want {
		t.Errorf("the note is %q, want %q", got, want)
	}
}
