package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"rollcall/domain"
	"rollcall/eventstore/boltlog"
)

// writeLog makes a data folder with a log of the records.
func writeLog(t *testing.T, records []domain.Record) string {
	t.Helper()
	dir := t.TempDir()
	log, err := boltlog.Open(dir, boltlog.Options{})
	check(t, err)
	for batch := range slices.Chunk(records, 500) {
		_, err := log.Append(t.Context(), log.Last(), domain.Batch{Records: batch})
		check(t, err)
	}
	check(t, log.Close())
	return dir
}

// manySettings gives records that make sense: services are set, one after the other.
func manySettings(t *testing.T, n int) []domain.Record {
	t.Helper()
	l, at := domain.NewLedger(), time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	var records []domain.Record
	for i := range n {
		at = at.Add(time.Second)
		events, err := domain.Decide(l, domain.ConfigureService{At: at, Name: domain.ServiceName(fmt.Sprintf("service-%04d", i)), Settings: domain.Settings{Kind: domain.KindLocal}})
		check(t, err)
		r := domain.Record{Position: l.Position() + 1, Time: at, Event: events[0]}
		l.Apply(r)
		records = append(records, r)
	}
	return records
}

// jsonLines runs a command with -o json on some data and gives its lines; the exit
// code must be as wanted.
func jsonLines(t *testing.T, code int, data string, args ...string) (lines []map[string]any) {
	t.Helper()
	p := start(t, []string{"ROLLCALL_DATA=" + data}, append(args, "-o", "json")...)
	p.wantExit(code)
	for line := range strings.Lines(p.text()) {
		var v map[string]any
		if json.Unmarshal([]byte(line), &v) == nil {
			lines = append(lines, v)
		}
	}
	if len(lines) == 0 {
		t.Fatalf("%v printed no result: %s", args, p.text())
	}
	return lines
}

// damagedCopy gives a backup of a long log in which one byte was changed such that
// it opens as usual or not, and something in front of the damage can be read or not.
func damagedCopy(t *testing.T, opens, some bool) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "copy.db")
	log, err := boltlog.OpenFile(filepath.Join(writeLog(t, manySettings(t, 20_000)), logFile))
	check(t, err)
	check(t, errors.Join(log.Backup(context.Background(), file), log.Close()))
	whole, err := os.ReadFile(file)
	check(t, err)
	for at := len(whole) - 1; at > 0; at -= 1000 {
		bad := slices.Clone(whole)
		bad[at] ^= 0x5a
		check(t, os.WriteFile(file, bad, 0o600))
		if damaged, err := openDamaged(file); err == nil {
			read, err := readUpToDamage(t, damaged.Log)
			check(t, damaged.Close())
			if err != nil && read > 0 == some && opens == (damaged.problem == nil) {
				return file
			}
		}
	}
	t.Fatal("no byte of the file does what the test needs")
	return ""
}

// readUpToDamage tells how many events can be read, and what damage ends that.
func readUpToDamage(t *testing.T, log *boltlog.Log) (read int, damage error) {
	t.Helper()
	for batch, err := range log.Blocks(t.Context(), 1) {
		if err != nil {
			return read, err
		}
		read += len(batch)
	}
	return read, nil
}

func TestVerifyFindsDamage(t *testing.T) {
	file, dir := damagedCopy(t, true, true), t.TempDir()
	lines := jsonLines(t, exitDamage, file, "audit", "verify", "--salvage", filepath.Join(dir, "saved.db"))
	if lines[0]["finding"] != "damage" {
		t.Errorf("the first line is %v", lines[0])
	}
	summary := lines[len(lines)-2]
	if summary["clean"] != false || summary["prefix"].(float64) < 1 {
		t.Errorf("the summary is %v", summary)
	}
	saved := lines[len(lines)-1]
	if saved["events"] != summary["prefix"] {
		t.Errorf("saved %v, want the prefix of %v", saved, summary)
	}
	if again := jsonLines(t, exitOK, dir, "backup", "verify", filepath.Join(dir, "saved.db")); again[0]["clean"] != true || again[0]["log"] != summary["log"] {
		t.Errorf("the saved log: %v, want it clean and of log %v", again, summary["log"])
	}
	if rows := jsonLines(t, exitOK, filepath.Join(dir, "saved.db"), "audit", "log"); float64(len(rows)) != summary["prefix"] {
		t.Errorf("audit log prints %d rows of the saved log, want %v", len(rows), summary["prefix"])
	}
	jsonLines(t, exitDamage, file, "audit", "replay")
}

// A log whose end is damaged does not open, and yet is read up to there.
func TestVerifyReadsUpToADamagedEnd(t *testing.T) {
	lines := jsonLines(t, exitDamage, damagedCopy(t, false, true), "audit", "verify")
	if text := fmt.Sprint(lines[0]["problem"]); !strings.Contains(text, "on opening") {
		t.Errorf("the first line is %v", lines[0])
	}
	if summary := lines[len(lines)-1]; summary["prefix"].(float64) < 1 {
		t.Errorf("the summary is %v", summary)
	}
}

// Where nothing can be saved nobody is told to save it.
func TestVerifyOfWhatCannotBeSaved(t *testing.T) {
	file := damagedCopy(t, true, false)
	p := start(t, []string{"ROLLCALL_DATA=" + file}, "audit", "verify")
	p.wantExit(exitDamage)
	if text := p.text(); strings.Contains(text, "salvage") || !strings.Contains(text, "nothing can be saved: the damage begins with the first event") {
		t.Errorf("audit verify prints\n%s", text)
	}
	p = start(t, []string{"ROLLCALL_DATA=" + file}, "audit", "verify", "--salvage", filepath.Join(t.TempDir(), "saved.db"))
	p.wantExit(exitDamage)
	p.await("there is nothing to salvage: the damage begins with the first event")
}

func TestReplayNamesDifferences(t *testing.T) {
	records := manySettings(t, 40)
	for _, p := range []int{10, 20, 30} {
		records[p-1].Event = &domain.SessionEnded{Session: 1, Cause: domain.EndLogout}
	}
	dir := writeLog(t, records)
	lines := jsonLines(t, exitDifference, dir, "audit", "replay", "--first", "2")
	if len(lines) != 3 || lines[0]["position"] != 10.0 || lines[1]["position"] != 20.0 || lines[1]["recorded"] != "session-ended" {
		t.Errorf("printed %v", lines)
	}
	if got := lines[2]["differences"]; got != 3.0 {
		t.Errorf("%v differences, want 3", got)
	}
	// What refers to the wrong thing is more than a decision that differs.
	found := jsonLines(t, exitDamage, dir, "audit", "verify")
	if found[0]["finding"] != "reference" || found[0]["from"] != 10.0 {
		t.Errorf("verify printed %v", found)
	}
}

func TestVerifyFindsWrongDecisions(t *testing.T) {
	records := manySettings(t, 5)
	at := records[4].Time
	records = append(records, domain.Record{Position: 6, Time: at, Event: &domain.ServiceRemoved{Service: 3}},
		domain.Record{Position: 7, Time: at, Event: &domain.ServiceRemoved{Service: 3}})
	found := jsonLines(t, exitDifference, writeLog(t, records), "audit", "verify")
	if found[0]["finding"] != "decision" || found[0]["from"] != 7.0 {
		t.Errorf("verify printed %v", found)
	}
}
