package main

import (
	"bytes"
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"
)

// canary is a password whose core is found wherever it went: the letters around
// it are such as have to be escaped somewhere, the core's are not.
type canary struct{ core string }

func newCanary() canary {
	core := make([]byte, 18)
	for i := range core {
		core[i] = "abcdefghkmnpqrstuvwxyz23456789"[rand.IntN(30)]
	}
	return canary{string(core)}
}

func (c canary) password() string { return `k&"` + c.core + "ü" }

// spellings gives the core in every common encoding, by its name.
func (c canary) spellings() map[string][]byte {
	plain := []byte(c.core)
	reversed := slices.Clone(plain)
	slices.Reverse(reversed)
	all := map[string][]byte{
		"plain": plain, "upper case": bytes.ToUpper(plain), "reversed": reversed,
		"hexadecimal": []byte(hex.EncodeToString(plain)), "HEXADECIMAL": bytes.ToUpper([]byte(hex.EncodeToString(plain))),
		"spaced hexadecimal": fmt.Appendf(nil, "% x", plain), "SPACED HEXADECIMAL": fmt.Appendf(nil, "% X", plain),
		"bytes in decimal": []byte(strings.Trim(fmt.Sprint(plain), "[]")), "bytes in Go syntax": inGo(plain),
		"UTF-16, little endian": wide(c.core, 0), "UTF-16, big endian": wide(c.core, 1),
	}
	for shift := range 3 { // where the core begins within a group of three bytes
		all[fmt.Sprintf("base64, shifted by %d", shift)] = shifted(base64.StdEncoding.EncodeToString, plain, shift, 4)
		all[fmt.Sprintf("base64 for URLs, shifted by %d", shift)] = shifted(base64.URLEncoding.EncodeToString, plain, shift, 4)
	}
	for shift := range 5 { // the same, of five bytes
		all[fmt.Sprintf("base32, shifted by %d", shift)] = shifted(base32.StdEncoding.EncodeToString, plain, shift, 8)
	}
	return all
}

// shifted gives what is the same of an encoding in groups of letters, whatever
// stands around it, where so many bytes of its first group are another's.
func shifted(encode func([]byte) string, plain []byte, shift, group int) []byte {
	text := encode(append(make([]byte, shift), plain...))
	return []byte(text[group : len(text)-group])
}

// inGo gives bytes as %#v does, without what stands around them.
func inGo(plain []byte) []byte {
	_, inside, _ := strings.Cut(fmt.Sprintf("%#v", plain), "{")
	return []byte(strings.TrimSuffix(inside, "}"))
}

// wide gives ASCII text in UTF-16, with the letters in the low or the high byte.
func wide(text string, at int) []byte {
	var b []byte
	for _, unit := range utf16.Encode([]rune(text)) {
		pair := [2]byte{}
		pair[at] = byte(unit)
		b = append(b, pair[:]...)
	}
	return b
}

// haystack is everything that a password must not be in, by what it is.
type haystack map[string][]byte

// addFolder adds every file under a folder.
func (h haystack) addFolder(t *testing.T, folder string) {
	t.Helper()
	check(t, filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		h["file "+path] = text
		return err
	}))
}

// search reports every place where a canary is found.
func (h haystack) search(t *testing.T, canaries map[string]canary) {
	t.Helper()
	for point, c := range canaries {
		for where, text := range h {
			if encoding := c.find(text); encoding != "" {
				t.Errorf("%s: the password is in %s, %s", point, where, encoding)
			}
		}
	}
}

// find gives the name of an encoding in which the canary is in text; empty if it
// is in none.
func (c canary) find(text []byte) string {
	for encoding, needle := range c.spellings() {
		if bytes.Contains(text, needle) {
			return encoding
		}
	}
	return ""
}

// TestCanaryIsFound sees to it that the search finds what is there.
func TestCanaryIsFound(t *testing.T) {
	c := newCanary()
	encode := func(f func(any) ([]byte, error)) []byte {
		text, err := f(c.password())
		check(t, err)
		return text
	}
	places := map[string][]byte{
		"as it is":  []byte("x" + c.password() + "x"),
		"JSON":      encode(json.Marshal),
		"XML":       encode(xml.Marshal),
		"URL":       []byte("https://host/?q=" + url.QueryEscape(c.password())),
		"hex":       []byte(hex.EncodeToString([]byte(c.password()))),
		"Go syntax": fmt.Appendf(nil, "%#v", []string{c.password()}),
		"wide":      wide(c.password(), 0),

		"bytes":            fmt.Append(nil, []byte(c.password())),
		"bytes, in a log":  fmt.Appendf(nil, "password=%v", struct{ p []byte }{[]byte(c.password())}),
		"bytes, Go syntax": fmt.Appendf(nil, "%#v", []byte(c.password())),
		"spaced hex":       fmt.Appendf(nil, "% x", c.password()),
		"SPACED HEX":       fmt.Appendf(nil, "% X", c.password()),
	}
	for n := range 6 {
		plain := "\x00" + "ursula"[:n] + "\x00" + c.password()
		places[fmt.Sprintf("SASL PLAIN of a name of %d letters", n)] = []byte(base64.StdEncoding.EncodeToString([]byte(plain)))
		places[fmt.Sprintf("base64 for URLs behind %d letters", n)] = []byte(base64.RawURLEncoding.EncodeToString([]byte(plain)))
		places[fmt.Sprintf("base32 behind %d letters", n)] = []byte(base32.StdEncoding.EncodeToString([]byte(plain)))
	}
	for place, text := range places {
		if c.find(text) == "" {
			t.Errorf("a password is not found in %s: %q", place, text)
		}
		if other := newCanary(); other.find(text) != "" {
			t.Errorf("a password that is not there is found in %s", place)
		}
	}
}
