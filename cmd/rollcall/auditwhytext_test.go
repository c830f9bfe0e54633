package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"rollcall/adapters/control"
)

var wrote = time.Date(2026, 3, 1, 9, 0, 1, 500e6, time.UTC)

func TestWhyText(t *testing.T) {
	rejected := control.AuditRow{
		Position: 13, Time: wrote, Type: "login-rejected", Session: 12, Service: "office",
		Account: "bob", Person: "Bob", Device: 8, Label: "phone", Fields: json.RawMessage(`{"session":12,"code":"server-busy","seats":7}`),
	}
	for _, test := range []struct {
		name string
		why  control.Why
		want string
	}{
		{"a refusal with more holders than are named", control.Why{
			Decisions: []control.WhyDecision{{
				Event: rejected, Outcome: "Bob was refused", Rule: "server-busy", Reason: "the maximum was reached", Evidence: []string{"one", "two"}, Next: "wait",
				Settings: &control.WhySettings{Service: control.Service{Kind: "local", MaxSessions: new(uint32(7)), Evict: "all"}, Position: 1, Time: wrote},
				Seats:    &control.WhySeats{Taken: 7, Holders: []control.Holder{{Session: 9, Person: "Ada", Device: 5}, {Session: 10, Device: 6}}}, Same: true,
			}},
			Session: &control.WhySession{ID: 12, UUID: uuid.UUID{15: 1}, State: "refused", Course: []control.AuditRow{rejected}},
		}, `Bob was refused
  when       2026-03-01T09:00:01.500Z, position 13, login-rejected
  who        Bob, account bob, service office, device 8 (phone), session 12
  rule       server-busy: the maximum was reached
  evidence   one
             two
  settings   kind local, at most 7 sessions
             set at position 1, 2026-03-01T09:00:01.500Z
  seats      7 taken then, by 9 of Ada, 10 of device 6 and 5 more; -o json lists them all
  replay     the rules give the same
  next       wait

Session 12, 00000000-0000-0000-0000-000000000001: refused
        13  2026-03-01T09:00:01.500Z  login-rejected       code=server-busy seats=7
`},
		{"a decision that the rules do not give, of somebody who was erased", control.Why{
			Decisions: []control.WhyDecision{
				{
					Event: control.AuditRow{Position: 2, Time: wrote, Type: "login-admitted", Session: 1, Device: 5}, Outcome: "device 5 was admitted", Rule: "evict", Reason: "the house was full",
					MadeRoom: []control.AuditRow{{Session: 8, Person: "Ada", Fields: json.RawMessage(`{"idle":"1h0m0s"}`)}, {Session: 9, Device: 6, Fields: json.RawMessage(`{"idle":"2m0s"}`)}}, Difference: "position 2: no",
				},
				{Event: control.AuditRow{Position: 3, Time: wrote, Type: "thing"}, Outcome: "thing", Reason: "this version knows no more of it", Difference: "position 3: no"},
			},
		}, `device 5 was admitted
  when       2026-03-01T09:00:01.500Z, position 2, login-admitted
  who        device 5, session 1
  rule       evict: the house was full
  made room  session 8 of Ada: idle=1h0m0s
             session 9 of device 6: idle=2m0s
  replay     the rules DIFFER: position 2: no; 'rollcall audit verify' checks the whole log

thing
  when       2026-03-01T09:00:01.500Z, position 3, thing
  rule       this version knows no more of it
  replay     the rules DIFFER: position 3: no; 'rollcall audit verify' checks the whole log
`},
		{"a course with a gap, and a name that would rewrite the screen", control.Why{
			Decisions: []control.WhyDecision{{
				Event: control.AuditRow{Position: 1, Time: wrote, Type: "login-admitted", Session: 1, Person: "Eve\x1b[2J", Label: "\u202e", Device: 4}, Outcome: "Eve\x1b[2J was admitted", Rule: "room", Reason: "room", Same: true,
				Seats: &control.WhySeats{},
			}},
			Session: &control.WhySession{ID: 1, State: "covered", Omitted: 30, Course: []control.AuditRow{
				{Position: 1, Time: wrote, Type: "login-requested"}, {Position: 50, Time: wrote, Type: "session-resumed"}, {Position: 51, Time: wrote, Type: "coverage-lost"},
			}},
		}, "Eve\uFFFD[2J was admitted\n" + `  when       2026-03-01T09:00:01.500Z, position 1, login-admitted
  who        ` + "Eve\uFFFD[2J, device 4 (\uFFFD), session 1" + `
  rule       room: room
  seats      none was taken then
  replay     the rules give the same

Session 1, 00000000-0000-0000-0000-000000000000: covered
         1  2026-03-01T09:00:01.500Z  login-requested
         …  30 older events about coverage; 'rollcall audit log --session 1' has them
        50  2026-03-01T09:00:01.500Z  session-resumed
        51  2026-03-01T09:00:01.500Z  coverage-lost
`},
	} {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(strings.Split(test.want, "\n"), strings.Split(whyText(test.why), "\n")); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
