package main

import (
	"bufio"
	"encoding/csv"
	"fmt"
	"io"
	"regexp"
	"strings"

	"rollcall/adapters/control"
	"rollcall/domain"
)

// rowWriter writes rows in one of the formats.
type rowWriter interface {
	// begin writes what stands in front of the first row.
	begin() error
	row(control.AuditRow) error
	// flush writes what has been kept back.
	flush() error
}

func newRowWriter(w io.Writer, asJSON bool) rowWriter {
	if asJSON {
		return jsonRows{bufio.NewWriter(w)}
	}
	return csvRows{csv.NewWriter(w)}
}

// jsonRows writes the lines of 'rollcall audit log -o json'.
type jsonRows struct{ w *bufio.Writer }

func (j jsonRows) begin() error { return nil }

func (j jsonRows) row(row control.AuditRow) error { return writeJSON(j.w, row) }

func (j jsonRows) flush() error { return j.w.Flush() }

// csvColumns are for good: others rely on their names and order. A new one comes
// behind them.
var csvColumns = []string{
	"position", "uuid", "time", "event", "session", "service", "account", "person", "device", "label", "code", "details", "person_id",
}

// csvRows writes one line for each row, under a header.
type csvRows struct{ csv *csv.Writer }

func (c csvRows) begin() error { return c.csv.Write(csvColumns) }

func (c csvRows) row(row control.AuditRow) error {
	code, details := codeAndDetails(row)
	cells := []string{
		fmt.Sprint(row.Position), row.UUID.String(), stamp(row.Time), row.Type, numberCell(uint64(row.Session)),
		string(row.Service), row.Account, row.Person, numberCell(uint64(row.Device)), row.Label, code, details, numberCell(uint64(row.PersonID)),
	}
	for i, cell := range cells {
		cells[i] = safeCell(cell)
	}
	return c.csv.Write(cells)
}

func (c csvRows) flush() error {
	c.csv.Flush()
	return c.csv.Error()
}

// numberCell leaves the cell empty where the event is about none.
func numberCell(n uint64) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprint(n)
}

// codeAndDetails gives why a login was refused or a session ended, and an event's
// other fields as key=value.
func codeAndDetails(row control.AuditRow) (code, details string) {
	parts := fieldParts(row.Fields)
	field := codeFields[row.Type]
	if field == "" {
		return "", strings.Join(parts, " ")
	}
	others := parts[:0]
	for _, part := range parts {
		if value, ok := strings.CutPrefix(part, field); ok {
			code = value
			continue
		}
		others = append(others, part)
	}
	return code, strings.Join(others, " ")
}

// codeFields are the fields that have a column of their own, by the event.
var codeFields = map[string]string{
	domain.TypeLoginRejected.String(): "code=",
	domain.TypeSessionEnded.String():  "cause=",
}

// formulaInside is where a spreadsheet that parts cells at semicolons, as those of many
// languages do, would begin a cell with a formula.
var formulaInside = regexp.MustCompile(`;(\s*[=+\-@])`)

// safeCell gives a cell that no spreadsheet takes for a formula, nor a part of it, and
// that keeps to its line: names are chosen by people who may mean ill.
func safeCell(text string) string {
	text = formulaInside.ReplaceAllString(text, ";'$1")
	if text != "" && strings.ContainsRune("=+-@\t\r", rune(text[0])) {
		text = "'" + text
	}
	return printable(text)
}
