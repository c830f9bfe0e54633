package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"strings"
	"testing"

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

func TestDemoHolds(t *testing.T) {
	code, out, errOut := play(t, nil)
	if code != exitOK || errOut != "" {
		t.Fatalf("exit code %d, and on standard error: %s\n%s", code, errOut, out)
	}
	for _, part := range []string{"“Server Busy”", "“Failed (300)”", "in Bob's place", "came in order, once", "nobody typed a password", "All 10 steps held"} {
		if !strings.Contains(out, part) {
			t.Errorf("the demo does not tell %q:\n%s", part, out)
		}
	}
	if strings.ContainsAny(out, "\x1b✗") {
		t.Errorf("colour codes or a failed step in plain output:\n%s", out)
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
	code, out, errOut := play(t, func(d broker.Devices) broker.Devices { return mislabel{d} }, "-o", "json")
	if code != exitFailure {
		t.Errorf("exit code %d, want %d", code, exitFailure)
	}
	if want := "a step did not hold: step 4 of 10"; !strings.Contains(errOut, want) {
		t.Errorf("standard error is %q, want %q in it", errOut, want)
	}
	lines := strings.Split(strings.TrimSpace(out), "\n")
	var last narratorLine
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &last); err != nil {
		t.Fatal(err)
	}
	if last.Kind != "failed" || last.Step != 4 || !strings.Contains(last.Text, "want server-busy") {
		t.Errorf("the last line is %+v, want step 4 to fail", last)
	}
}
