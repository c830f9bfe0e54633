package rtf

import (
	"strconv"
	"strings"
	"unicode/utf16"
)

// Dialect is how characters above U+7FFF are written.
type Dialect uint8

const (
	// CodePoints writes each character as its number, as libpurple and the
	// clients built on it do. They read nothing else.
	CodePoints Dialect = iota
	// Surrogates writes signed 16-bit numbers, and two of them for a character
	// beyond U+FFFF, as the specification has it.
	Surrogates
)

// The envelope is one that every known client accepts: they fail on a message
// without a font table.
const (
	opening = `{\rtf1\ansi{\fonttbl{\f0\fnil Unknown;}}{\colortbl ;\red0\green0\blue0;}\uc1\cf1\f0\fs24 `
	closing = `\par}`
)

var newlines = strings.NewReplacer("\r\n", "\n", "\r", "\n")

// Write gives text as RTF. Each line end becomes a paragraph; a NUL is left out.
func Write(text string, d Dialect) string {
	text = newlines.Replace(text)
	var b strings.Builder
	b.Grow(len(opening) + len(text) + len(closing))
	b.WriteString(opening)
	for _, r := range text { // what is not UTF-8 comes as U+FFFD
		switch {
		case r == '\n':
			b.WriteString(`\par `)
		case r == '\t':
			b.WriteString(`\tab `)
		case r == '\\' || r == '{' || r == '}':
			b.WriteString(`\` + string(r))
		case r == 0:
		case r < ' ' || r == 0x7f:
			b.WriteString(`\'` + strconv.FormatUint(uint64(r)>>4, 16) + strconv.FormatUint(uint64(r)&15, 16))
		case r < 0x7f:
			b.WriteRune(r)
		default:
			writeWide(&b, r, d)
		}
	}
	b.WriteString(closing)
	return b.String()
}

// writeWide writes a character beyond ASCII, with a question mark for readers
// that do not know \u.
func writeWide(b *strings.Builder, r rune, d Dialect) {
	units := []rune{r}
	if d == Surrogates {
		if high, low := utf16.EncodeRune(r); r > 0xffff {
			units = []rune{high, low}
		}
		for i, unit := range units {
			units[i] = rune(int16(unit))
		}
	}
	for _, unit := range units {
		b.WriteString(`\u` + strconv.Itoa(int(unit)) + `?`)
	}
}
