package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/adapters/device"
	"rollcall/domain/broker"
)

// printed gives what a client prints as JSON, in short: each event with its contact.
func printed(t *testing.T, news ...any) []string {
	t.Helper()
	var out bytes.Buffer
	o := &clientOutput{app: &app{out: &out, output: outputFormat{json: true}}}
	for _, body := range news {
		if wait, ok := body.(time.Duration); ok {
			time.Sleep(wait)
			synctest.Wait()
			continue
		}
		if err := o.state(broker.State{Body: body}); err != nil {
			t.Fatal(err)
		}
	}
	time.Sleep(time.Minute)
	synctest.Wait()
	var lines []string
	for line := range strings.Lines(out.String()) {
		line = strings.NewReplacer(`{"event":`, "", `"contact":`, "", `"show":`, "", `"`, "", "}\n", "").Replace(line)
		lines = append(lines, line)
	}
	return lines
}

func TestOnlyNewsIsPrinted(t *testing.T) {
	contact := func(address, name string) broker.Contact { return broker.Contact{Address: address, Name: name} }
	roster := func(c ...broker.Contact) broker.RosterReceived { return broker.RosterReceived{Contacts: c} }
	is := func(address string, show broker.Show) broker.PresenceChanged {
		return broker.PresenceChanged{Contact: address, Show: show}
	}
	bob, eve := contact("bob", "Bob"), contact("eve", "Eve")
	first := []any{roster(bob, eve), is("bob", broker.ShowAway), is("eve", broker.ShowAvailable)}
	before := []string{"roster,contacts:[{address:bob,name:Bob},{address:eve,name:Eve}]", "presence,bob,away", "presence,eve,available"}
	for _, test := range []struct {
		name string
		news []any
		want []string
	}{
		{"the first time all of it", nil, nil},
		{"all as it was", []any{roster(eve, bob), is("eve", broker.ShowAvailable), is("bob", broker.ShowAway)}, nil},
		{"one is offline now", []any{roster(bob, eve), is("eve", broker.ShowAvailable)}, []string{"presence,bob,offline"}},
		{"one is something else", []any{roster(bob, eve), is("bob", broker.ShowAway), is("eve", broker.ShowBusy)}, []string{"presence,eve,busy"}},
		{"slowly told", []any{roster(bob, eve), time.Second, is("eve", broker.ShowAvailable), 1500 * time.Millisecond, is("bob", broker.ShowAway)}, nil},
		{"the roster has changed", []any{roster(bob, contact("zoe", "")), is("bob", broker.ShowAway)},
			[]string{"roster-changed,zoe", "roster-changed,eve,name:Eve,removed:true"}},
		{"one has changed, and follows the roster", []any{roster(eve), broker.RosterChanged{Contact: contact("bob", "Robert")}, is("bob", broker.ShowAway), is("eve", broker.ShowAvailable)},
			[]string{"roster-changed,bob,name:Robert"}},
		{"twice the same", []any{is("bob", broker.ShowIdle), is("bob", broker.ShowIdle), broker.RosterChanged{Contact: bob}},
			[]string{"presence,bob,idle"}},
		{"somebody of whom one never heard is removed", []any{broker.RosterChanged{Contact: contact("zoe", ""), Removed: true}}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				got := printed(t, append(first[:3:3], test.news...)...)
				if diff := cmp.Diff(append(before[:3:3], test.want...), got); diff != "" {
					t.Errorf("printed (-want +got):\n%s", diff)
				}
			})
		})
	}
}

func TestLostCoverageIsToldApart(t *testing.T) {
	for want, err := range map[string]error{
		"-- the server is restarting; back in about 12s\n": fmt.Errorf("read: %w", &device.ComeBackError{After: 12 * time.Second}),
		"-- out of coverage: no signal\n":                  errors.New("no signal"),
		"-- out of coverage: the link ended\n":             fmt.Errorf("read: %w", io.EOF),
	} {
		var out bytes.Buffer
		o := &clientOutput{app: &app{out: &out}, begun: true}
		o.coverage(false, err)
		if out.String() != want {
			t.Errorf("%v is told as %q, want %q", err, out.String(), want)
		}
	}
}

func TestPresenceEndsWithItsLastWord(t *testing.T) {
	for want, p := range map[string]broker.PresenceChanged{
		"-- bob is away\n":       {Contact: "bob", Show: broker.ShowAway},
		"-- bob is away lunch\n": {Contact: "bob", Show: broker.ShowAway, Text: "lunch"},
	} {
		var out bytes.Buffer
		o := &clientOutput{app: &app{out: &out}}
		if err := o.presence(p); err != nil || out.String() != want {
			t.Errorf("%+v is told as %q, %v, want %q", p, out.String(), err, want)
		}
	}
}
