package rtf

import (
	"strings"
	"unicode/utf8"
)

// maxDepth is how many groups inside of each other can set something of their
// own; what is nested deeper shares the settings of the innermost of these.
const maxDepth = 128

// Text gives the text of a message. What does not begin as RTF is taken as plain
// text. One line end at the end, which writers add, is left out.
func Text(message string) string {
	if !strings.HasPrefix(strings.TrimLeft(message, " \r\n"), `{\rtf`) {
		return strings.ReplaceAll(strings.ToValidUTF8(message, "\ufffd"), "\x00", "")
	}
	p := &parser{in: message, stack: []group{{uc: 1}}, charsets: make(map[int]int)}
	for p.at < len(p.in) {
		p.step()
	}
	p.out.flush()
	return strings.TrimSuffix(p.out.text.String(), "\n")
}

// group is what can be set for the rest of a group.
type group struct {
	skip  bool // it is a destination
	fonts bool // it is the font table
	uc    int  // characters of fallback behind each \u
	page  int  // code page of the current font; 0: that of the document
	font  int
}

type parser struct {
	in       string
	at       int
	stack    []group
	deeper   int         // groups that are open above the stack
	charsets map[int]int // of each font, as a code page
	fallback int         // characters still to be left out
	star     bool        // \* came just before
	out      output
}

func (p *parser) top() *group { return &p.stack[len(p.stack)-1] }

// step reads one character, control or brace.
func (p *parser) step() {
	c := p.in[p.at]
	p.at++
	switch c {
	case '{':
		p.fallback = 0
		p.open()
	case '}':
		p.fallback = 0
		p.close()
	case '\\':
		p.control()
	case '\r', '\n', 0:
	default:
		p.raw(c)
	}
}

func (p *parser) open() {
	if len(p.stack) == maxDepth {
		p.deeper++
		return
	}
	p.stack = append(p.stack, *p.top())
}

// close ends a group; one too many ends nothing.
func (p *parser) close() {
	switch {
	case p.deeper > 0:
		p.deeper--
	case len(p.stack) > 1:
		p.stack = p.stack[:len(p.stack)-1]
	}
}

// raw takes a character that stands for itself.
func (p *parser) raw(c byte) {
	if p.skipped() {
		return
	}
	p.out.raw(c, p.page())
}

// skipped tells whether the next character is not part of the text.
func (p *parser) skipped() bool {
	if p.fallback > 0 {
		p.fallback--
		return true
	}
	return p.top().skip
}

func (p *parser) page() int {
	if page := p.top().page; page != 0 {
		return page
	}
	return p.charsets[documentPage]
}

// control reads what follows a backslash.
func (p *parser) control() {
	if p.at == len(p.in) {
		return
	}
	c := p.in[p.at]
	if isLetter(c) {
		word, number, given := p.word()
		p.handle(word, number, given)
		return
	}
	p.at++
	switch c {
	case '\'':
		p.hex()
	case '*':
		p.star = true
	case '\\', '{', '}':
		p.raw(c)
	case '~':
		p.char('\u00a0')
	case '_':
		p.char('\u2011')
	case '\r', '\n':
		p.char('\n')
	}
}

// word reads a control word with its number, and the space that may end it.
func (p *parser) word() (word string, number int, given bool) {
	start := p.at
	for p.at < len(p.in) && isLetter(p.in[p.at]) {
		p.at++
	}
	word = p.in[start:p.at]
	negative := p.at < len(p.in) && p.in[p.at] == '-'
	if negative {
		p.at++
	}
	for p.at < len(p.in) && isDigit(p.in[p.at]) {
		number = min(number*10+int(p.in[p.at]-'0'), 1<<30)
		given = true
		p.at++
	}
	if negative {
		number = -number
	}
	if p.at < len(p.in) && p.in[p.at] == ' ' {
		p.at++
	}
	return word, number, given
}

// hex reads the two digits of a character in the code page.
func (p *parser) hex() {
	if p.at+2 > len(p.in) {
		p.at = len(p.in)
		return
	}
	high, low := hexValue(p.in[p.at]), hexValue(p.in[p.at+1])
	if high < 0 || low < 0 {
		return
	}
	p.at += 2
	if !p.skipped() {
		p.out.coded(byte(high<<4|low), p.page())
	}
}

// char takes a character that a control stands for.
func (p *parser) char(r rune) {
	if !p.skipped() {
		p.out.char(r)
	}
}

func isLetter(c byte) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func hexValue(c byte) int {
	switch {
	case isDigit(c):
		return int(c - '0')
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return int(c|0x20-'a') + 10
	}
	return -1
}

// validRune gives r, or U+FFFD where it is no character.
func validRune(r rune) rune {
	if !utf8.ValidRune(r) || r == 0 {
		return utf8.RuneError
	}
	return r
}
