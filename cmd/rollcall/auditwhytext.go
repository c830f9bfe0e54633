package main

import (
	"fmt"
	"strings"

	"rollcall/adapters/control"
)

// whyText gives an account as it is read: a paragraph for each decision, and the
// course of the session.
func whyText(w control.Why) string {
	var t accountText
	for i, d := range w.Decisions {
		if i > 0 {
			t.WriteByte('\n')
		}
		t.decision(d)
	}
	if w.Session != nil {
		t.WriteByte('\n')
		t.course(w.Session)
	}
	return t.String()
}

// accountText is an account in the making.
type accountText struct{ strings.Builder }

// say writes one or more lines under a word in the margin. What strangers may have
// chosen cannot rewrite the screen.
func (t *accountText) say(word string, lines ...string) {
	for _, line := range lines {
		fmt.Fprintf(t, "  %-9s  %s\n", word, printable(line))
		word = ""
	}
}

func (t *accountText) decision(d control.WhyDecision) {
	fmt.Fprintln(t, printable(d.Outcome))
	t.say("when", fmt.Sprintf("%s, position %d, %s", stamp(d.Event.Time), d.Event.Position, d.Event.Type))
	t.say("who", whom(d.Event)...)
	if details := fieldParts(d.Event.Fields); d.Event.Session == 0 && len(details) > 0 {
		t.say("details", strings.Join(details, " ")) // a session's stand in its course
	}
	t.say("rule", ruleText(d))
	t.say("evidence", d.Evidence...)
	for i, row := range d.MadeRoom {
		t.say([]string{"made room", ""}[min(i, 1)], fmt.Sprintf("session %d of %s: %s", row.Session, holder(row.Person, row.Device), strings.Join(fieldParts(row.Fields), " ")))
	}
	if s := d.Settings; s != nil {
		t.say("settings", describe(s.Service), fmt.Sprintf("set at position %d, %s", s.Position, stamp(s.Time)))
	}
	if d.Seats != nil {
		t.say("seats", seatsText(d.Seats))
	}
	t.say("replay", replayText(d))
	if d.Next != "" {
		t.say("next", d.Next)
	}
}

func ruleText(d control.WhyDecision) string {
	if d.Rule == "" {
		return d.Reason
	}
	return d.Rule + ": " + d.Reason
}

// whom gives the names in a row in one line; none where it has no names.
func whom(row control.AuditRow) []string {
	var parts []string
	add := func(set bool, format string, args ...any) {
		if set {
			parts = append(parts, fmt.Sprintf(format, args...))
		}
	}
	add(row.Person != "", "%s", row.Person)
	add(row.Account != "", "account %s", row.Account)
	add(row.Service != "", "service %s", row.Service)
	add(row.Device != 0 && row.Label == "", "device %d", row.Device)
	add(row.Device != 0 && row.Label != "", "device %d (%s)", row.Device, row.Label)
	add(row.Session != 0, "session %d", row.Session)
	if len(parts) == 0 {
		return nil
	}
	return []string{strings.Join(parts, ", ")}
}

// holder gives a person's name, or the device where the name has been deleted.
func holder(person string, device any) string {
	if person == "" {
		return fmt.Sprintf("device %v", device)
	}
	return person
}

func seatsText(s *control.WhySeats) string {
	if s.Taken == 0 {
		return "none was taken then"
	}
	var parts []string
	for _, h := range s.Holders {
		parts = append(parts, fmt.Sprintf("%d of %s", h.Session, holder(h.Person, h.Device)))
	}
	text := fmt.Sprintf("%d taken then, by %s", s.Taken, strings.Join(parts, ", "))
	if more := int(s.Taken) - len(s.Holders); more > 0 {
		text += fmt.Sprintf(" and %d more; -o json lists them all", more)
	}
	return text
}

func replayText(d control.WhyDecision) string {
	if d.Same {
		return "the rules give the same"
	}
	return "the rules DIFFER: " + d.Difference + "; 'rollcall audit verify' checks the whole log"
}

func (t *accountText) course(s *control.WhySession) {
	fmt.Fprintf(t, "Session %d, %s: %s\n", s.ID, s.UUID, s.State)
	omitted := s.Omitted
	for i, row := range s.Course {
		if omitted > 0 && i > 0 && aboutCoverage(row) {
			fmt.Fprintf(t, "%10s  %d older events about coverage; 'rollcall audit log --session %d' has them\n", "…", omitted, s.ID)
			omitted = 0
		}
		line := fmt.Sprintf("%10d  %-24s  %-19s  %s", row.Position, stamp(row.Time), row.Type, strings.Join(fieldParts(row.Fields), " "))
		fmt.Fprintln(t, strings.TrimRight(line, " "))
	}
}

func aboutCoverage(row control.AuditRow) bool {
	return strings.HasPrefix(row.Type, "coverage-") || row.Type == "session-resumed"
}
