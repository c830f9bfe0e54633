package main

import (
	"context"
	"fmt"
	"strings"

	"rollcall/adapters/control"
)

// expected is what the log must hold, each so many times: an event, whom it is
// about, and what is among its details.
var expected = []struct {
	times                   int
	event, person, contains string
}{
	{2, "broker-started", "", ""},
	{1, "broker-stopped", "", ""},
	{1, "login-accepted", "Ada", "service=office"},
	{1, "login-accepted", "Bob", "service=office"},
	{1, "login-rejected", "Carl", "code=server-busy seats=2 limit=2"},
	{1, "login-accepted", "Carl", "service=office"},
	{1, "session-idled-out", "Bob", "out_of_coverage=yes"},
	{1, "session-resumed", "Bob", ""},
	{1, "session-resumed", "Ada", ""},
	{1, "session-resumed", "Carl", ""},
	{2, "login-accepted", "", "service=annex"},
	{1, "login-rejected", "Ada", "code=failed-300 seats=2 limit=2"},
	{0, "session-ended", "", ""},
}

func readAudit(ctx context.Context, s *stage, n *narrator) error {
	var rows []control.AuditRow
	for row, err := range s.op.Audit(ctx, control.AuditFilter{}) {
		if err != nil {
			return err
		}
		rows = append(rows, row)
		if told(row) {
			n.note("%6d  %s  %-17s %-5s %s", row.Position, row.Time.Format("15:04:05.000"), row.Type, row.Person, demoDetails(row))
		}
	}
	for _, e := range expected {
		found := 0
		for _, row := range rows {
			if row.Type == e.event && (e.person == "" || row.Person == e.person) && strings.Contains(auditDetails(row), e.contains) {
				found++
			}
		}
		if found != e.times {
			return fmt.Errorf("the log has %d × %s %s %s, want %d", found, e.event, e.person, e.contains, e.times)
		}
	}
	n.held("the log holds exactly what happened, in %d events; nothing else ended a session", len(rows))
	return neverTooMany(rows, n)
}

// told tells whether a row is of the story itself, not of its setting.
func told(row control.AuditRow) bool {
	return row.Session != 0 && row.Type != "login-requested" || strings.HasPrefix(row.Type, "broker-")
}

// demoDetails leaves out what stands in a column.
func demoDetails(row control.AuditRow) string {
	row.Person, row.Label, row.Account, row.Device = "", "", "", 0
	if row.Session == 0 {
		return auditDetails(row)
	}
	return fmt.Sprintf("session=%d %s", row.Session, auditDetails(row))
}

// neverTooMany counts the seats of the office along the log.
func neverTooMany(rows []control.AuditRow, n *narrator) error {
	seats, most := 0, 0
	admitted := make(map[uint64]bool)
	for _, row := range rows {
		id := uint64(row.Session)
		switch {
		case row.Service != office:
		case row.Type == "login-admitted":
			seats++
			admitted[id] = true
		case admitted[id] && (row.Type == "login-rejected" || row.Type == "session-ended" || row.Type == "session-idled-out"):
			seats--
		}
		most = max(most, seats)
	}
	if most != 2 {
		return fmt.Errorf("at most %d seats of the office were taken, want 2", most)
	}
	n.held("never more than %d seats of the office were taken, at any position of the log", most)
	return nil
}

func rebuildViews(ctx context.Context, s *stage, n *narrator) error {
	for p, err := range s.op.Rebuild(ctx, control.Rebuild{}) {
		switch {
		case err != nil:
			return err
		case p.Done && p.Difference != "":
			return fmt.Errorf("view %s is not what the log says: %s", p.Projection, p.Difference)
		case p.Done:
			n.held("%s: %d events, no difference", p.Projection, p.Events)
		}
	}
	return nil
}
