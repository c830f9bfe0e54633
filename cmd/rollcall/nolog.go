package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"

	"rollcall/eventstore"
)

// unlessNoLog gives err, which came of opening path, or where that is a file of
// another kind an error that says so, with the code: whoever names the wrong file
// need not fear for a log.
func unlessNoLog(path string, code int, err error) error {
	var damage *eventstore.DamageError
	if !errors.As(err, &damage) {
		return err
	}
	if info, statErr := os.Stat(path); statErr != nil || !info.Mode().IsRegular() || hasHeader(path) {
		return err
	}
	return &exitError{code, fmt.Errorf("%s is no rollcall log; name a data folder, or a file that 'rollcall backup' has made", path)}
}

// A database file of bbolt has a header in each of its first two pages, of whatever
// size they are, with this magic number 16 bytes into the page.
const (
	headerMagic = 0xED0CDAED
	headerAt    = 16
)

// hasHeader tells that a file has at least one of its headers. One that cannot be
// read may have.
func hasHeader(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return true
	}
	defer f.Close()
	for _, page := range []int64{0, 1 << 10, 1 << 11, 1 << 12, 1 << 13, 1 << 14, 1 << 15, 1 << 16} {
		var magic [4]byte
		if _, err := f.ReadAt(magic[:], page+headerAt); err == nil && binary.LittleEndian.Uint32(magic[:]) == headerMagic {
			return true
		}
	}
	return false
}
