package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"rollcall/adapters/control"
)

func TestSafeCell(t *testing.T) {
	for _, test := range []struct{ name, text, want string }{
		{"nothing", "", ""},
		{"a name", "Ada Lovelace", "Ada Lovelace"},
		{"a formula", "=1+1", "'=1+1"},
		{"a sum", "+49 30 1234", "'+49 30 1234"},
		{"a difference", "-1", "'-1"},
		{"a function of old", "@SUM(A1)", "'@SUM(A1)"},
		{"a tab in front", "\t=1+1", "' =1+1"},
		{"a carriage return in front", "\r=1+1", "'\uFFFD=1+1"},
		{"only the first matters", "a=1", "a=1"},
		{"nor behind a semicolon", "q; =1+1;-2;x=3", "q;' =1+1;'-2;x=3"},
		{"one event keeps to one line", "Ada\nLovelace", "Ada Lovelace"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := safeCell(test.text); got != test.want {
				t.Errorf("safeCell(%q) = %q, want %q", test.text, got, test.want)
			}
		})
	}
}

// TestCSVRows reads what was written as others do.
func TestCSVRows(t *testing.T) {
	var b bytes.Buffer
	rows := newRowWriter(&b, false)
	check(t, rows.begin())
	for _, row := range []control.AuditRow{
		{Position: 1, Time: wrote, Type: "broker-stopped"},
		{Position: 2, Time: wrote, Type: "login-rejected", Session: 9, Service: "office", Account: "ada, \"bob\"", Person: "=Ada", PersonID: 3, Device: 4, Label: "phone",
			Fields: json.RawMessage(`{"session":9,"code":"server-busy","seats":1,"longest_idle":"300ms","upstream_text":"no code=x here"}`)},
		{Position: 3, Time: wrote, Type: "service-configured", Service: "office", Fields: json.RawMessage(`{"name":"office","settings":{"options":{"code":"a b"}}}`)},
	} {
		row.UUID = uuid.UUID{15: byte(row.Position)}
		check(t, rows.row(row))
	}
	check(t, rows.flush())
	got, err := csv.NewReader(&b).ReadAll()
	check(t, err)
	const id, at = "00000000-0000-0000-0000-00000000000", "2026-03-01T09:00:01.500Z"
	want := [][]string{
		{"position", "uuid", "time", "event", "session", "service", "account", "person", "device", "label", "code", "details", "person_id"},
		{"1", id + "1", at, "broker-stopped", "", "", "", "", "", "", "", "", ""},
		{"2", id + "2", at, "login-rejected", "9", "office", "ada, \"bob\"", "'=Ada", "4", "phone", "server-busy", `seats=1 longest_idle=300ms upstream_text="no code=x here"`, "3"},
		{"3", id + "3", at, "service-configured", "", "office", "", "", "", "", "", `code="a b"`, ""},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestNewFileIsWholeOrNotThere fails in the middle, and meets a file that came in
// between.
func TestNewFileIsWholeOrNotThere(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "out.csv")
	stop := errors.New("stop")
	err := writeNewFile(path, func(w io.Writer) error {
		_, err := io.WriteString(w, "half")
		return errors.Join(err, stop)
	})
	if !errors.Is(err, stop) {
		t.Errorf("writeNewFile = %v, want the error of who fills", err)
	}
	err = writeNewFile(path, func(io.Writer) error { return os.WriteFile(path, []byte("theirs"), 0o600) })
	if !errors.Is(err, fs.ErrExist) {
		t.Errorf("writeNewFile = %v, want that there is a file", err)
	}
	theirs, err := os.ReadFile(path)
	left, _ := os.ReadDir(dir)
	if string(theirs) != "theirs" || err != nil || len(left) != 1 {
		t.Errorf("the file holds %q, %v, and the folder %v; want theirs alone", theirs, err, left)
	}
}
