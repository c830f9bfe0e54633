package main

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Somebody logs in, is erased, and the log is compacted: then no file of the data
// folder holds anything of the person.
func TestErasedPersonIsInNoFile(t *testing.T) {
	h := newHouse(t)
	h.rollcall("service", "set", "office", "--kind", "local")
	h.addUsers("canaryaccount", "bob")
	h.open()
	canary, bob := h.join("Canary Person", "office:canaryaccount"), h.join("Bob", "office:bob")
	h.login(canary, "office", "canaryother").wantExit(exitNotPermitted) // the name is kept beside the login
	device := h.login(canary, "office", "canaryaccount")
	device.accepted()
	staying := h.login(bob, "office", "bob")
	staying.accepted()
	if !strings.Contains(h.rollcall("audit", "log"), "canaryother") {
		t.Fatal("nothing is there to be erased")
	}
	if findInFiles(t, h.data, "canary") == nil {
		t.Fatal("the names cannot be found in the files even before: this test shows nothing")
	}

	h.rollcall("person", "erase", "Canary Person")
	device.wantExit(exitEnded)
	h.fails(exitData, "an appliance runs on .*; stop it first", "compact")
	if text := h.rollcall("audit", "log"); strings.Contains(strings.ToLower(text), "canary") || !strings.Contains(text, "Bob") {
		t.Errorf("the audit log still says\n%s", text)
	}
	h.shut()
	h.rollcall("user", "remove", "canaryaccount")
	h.rollcall("compact")
	for _, file := range findInFiles(t, h.data, "canary") {
		t.Errorf("%s still holds something of the person", file)
	}
	if text := h.rollcall("audit", "verify"); !strings.Contains(text, "Nothing is wrong") {
		t.Errorf("audit verify: %s", text)
	}
	h.open()
	h.fails(exitUnknown, "erase Canary Person: no such person", "person", "erase", "Canary Person")
}

// findInFiles gives the files below a folder that hold a text, in any case.
func findInFiles(t *testing.T, dir, text string) (found []string) {
	t.Helper()
	check(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(path)
		if bytes.Contains(bytes.ToLower(b), []byte(text)) {
			found = append(found, path)
		}
		return err
	}))
	return found
}
