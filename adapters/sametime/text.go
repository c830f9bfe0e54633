package sametime

import (
	"iter"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// readable gives a string of the wire as valid UTF-8. Servers written in Java may
// send its own form: NUL as two bytes, and characters beyond U+FFFF as two halves
// of three bytes each.
func readable(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		r, n := readRune(s)
		b.WriteRune(r)
		s = s[n:]
	}
	return b.String()
}

func readRune(s string) (rune, int) {
	if strings.HasPrefix(s, "\xc0\x80") {
		return 0, 2
	}
	if high, ok := half(s); ok {
		if low, ok := half(s[3:]); ok {
			if r := utf16.DecodeRune(high, low); r != utf8.RuneError {
				return r, 6
			}
		}
		return utf8.RuneError, 3
	}
	r, n := utf8.DecodeRuneInString(s)
	return r, n
}

// half reads half a character, a surrogate in three bytes.
func half(s string) (rune, bool) {
	if len(s) < 3 || s[0] != 0xed || s[1]&0xe0 != 0xa0 || s[2]&0xc0 != 0x80 {
		return 0, false
	}
	return 0xd000 | rune(s[1]&0x3f)<<6 | rune(s[2]&0x3f), true
}

// pieces cuts a text into parts of at most limit bytes, at characters.
func pieces(text string, limit int) iter.Seq[string] {
	return func(yield func(string) bool) {
		for len(text) > limit {
			cut := limit
			for cut > limit-utf8.UTFMax && !utf8.RuneStart(text[cut]) {
				cut--
			}
			if !yield(text[:cut]) {
				return
			}
			text = text[cut:]
		}
		if text != "" {
			yield(text)
		}
	}
}
