package rtf

// characters are the control words that stand for a character.
var characters = map[string]rune{
	"par": '\n', "line": '\n', "sect": '\n', "page": '\n', "row": '\n', "tab": '\t', "cell": '\t',
	"emdash": '—', "endash": '–', "lquote": '‘', "rquote": '’', "ldblquote": '“', "rdblquote": '”', "bullet": '•',
	"emspace": '\u2003', "enspace": '\u2002', "zwj": '\u200d', "zwnj": '\u200c',
}

// destinations are the groups whose text is not part of the message, besides
// those that \* marks.
var destinations = map[string]bool{
	"fonttbl": true, "colortbl": true, "stylesheet": true, "info": true, "pict": true, "object": true, "listtable": true,
	"listoverridetable": true, "header": true, "headerl": true, "headerr": true, "headerf": true, "footer": true,
	"footerl": true, "footerr": true, "footerf": true, "footnote": true, "filetbl": true, "revtbl": true, "fldinst": true,
	"xe": true, "tc": true, "themedata": true, "generator": true,
}

// words are the other control words that are understood; the rest is format.
var words map[string]func(p *parser, n int)

func init() { // the functions lead back here
	words = map[string]func(p *parser, n int){
		"u":        (*parser).unicode,
		"uc":       func(p *parser, n int) { p.top().uc = max(0, min(n, 64)) },
		"bin":      func(p *parser, n int) { p.at = min(len(p.in), p.at+max(0, n)) },
		"f":        (*parser).setFont,
		"fcharset": (*parser).setCharset,
		"plain":    func(p *parser, _ int) { p.top().page = 0 },
		"ansicpg":  func(p *parser, n int) { p.charsets[documentPage] = n },
		"mac":      func(p *parser, _ int) { p.charsets[documentPage] = 10000 },
		"pc":       func(p *parser, _ int) { p.charsets[documentPage] = 437 },
		"pca":      func(p *parser, _ int) { p.charsets[documentPage] = 850 },
	}
}

// documentPage is the key of the document's code page among those of the fonts.
const documentPage = -1

// handle does what a control word asks for.
func (p *parser) handle(word string, number int, given bool) {
	star := p.star
	p.star = false
	switch r, isChar := characters[word]; {
	case isChar:
		p.char(r)
		return
	case words[word] != nil:
		if given || word != "u" && word != "bin" {
			words[word](p, number)
		}
		return
	case star || destinations[word]:
		p.top().skip = true
		p.top().fonts = word == "fonttbl"
	}
}

// unicode takes a character by its number: signed 16 bits, in pairs where it
// takes two, or whole.
func (p *parser) unicode(n int) {
	p.fallback = 0
	if n < 0 {
		n += 1 << 16
	}
	if !p.top().skip {
		p.out.unit(rune(n))
	}
	p.fallback = p.top().uc
}

func (p *parser) setFont(n int) {
	g := p.top()
	g.font = n
	if !g.fonts {
		g.page = p.charsets[n]
	}
}

func (p *parser) setCharset(n int) {
	if g := p.top(); g.fonts && len(p.charsets) < maxFonts {
		p.charsets[g.font] = charsetPages[n]
	}
}

// maxFonts bounds the font table.
const maxFonts = 1024
