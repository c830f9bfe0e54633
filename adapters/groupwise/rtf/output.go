package rtf

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
)

// charsetPages tell the code page of a font's character set.
var charsetPages = map[int]int{
	0: 1252, 128: 932, 129: 949, 130: 949, 134: 936, 136: 950, 161: 1253, 162: 1254, 163: 1258, 177: 1255, 178: 1256,
	186: 1257, 204: 1251, 222: 874, 238: 1250, 254: 437, 77: 10000,
}

// encodings decode the code pages; others are read as 1252.
var encodings = map[int]encoding.Encoding{
	437: charmap.CodePage437, 850: charmap.CodePage850, 852: charmap.CodePage852, 866: charmap.CodePage866, 874: charmap.Windows874,
	932: japanese.ShiftJIS, 936: simplifiedchinese.GBK, 949: korean.EUCKR, 950: traditionalchinese.Big5,
	1250: charmap.Windows1250, 1251: charmap.Windows1251, 1252: charmap.Windows1252, 1253: charmap.Windows1253,
	1254: charmap.Windows1254, 1255: charmap.Windows1255, 1256: charmap.Windows1256, 1257: charmap.Windows1257,
	1258: charmap.Windows1258, 10000: charmap.Macintosh, 65001: encoding.Nop,
}

// output gathers the text. What is not known yet waits: half a surrogate pair,
// and bytes in a code page until all that belong together are there.
type output struct {
	text  strings.Builder
	high  rune // the first half of a pair
	bytes []byte
	page  int  // of the bytes
	isRaw bool // the bytes stood there as they are
	half  bool // they end with the first half of a character in two bytes
}

// char adds a character.
func (o *output) char(r rune) {
	o.flush()
	o.text.WriteRune(r)
}

// unit adds a character, or one half of it.
func (o *output) unit(r rune) {
	o.flushBytes()
	switch {
	case utf16.IsSurrogate(r) && r < 0xdc00:
		o.flush()
		o.high = r
	case utf16.IsSurrogate(r) && o.high != 0:
		o.text.WriteRune(utf16.DecodeRune(o.high, r))
		o.high = 0
	default:
		o.char(validRune(r))
	}
}

// coded adds a byte in a code page.
func (o *output) coded(c byte, page int) {
	if page != o.page || o.isRaw || o.high != 0 {
		o.flush()
	}
	o.page, o.isRaw = page, false
	o.half = !o.half && isLead(c, page)
	o.bytes = append(o.bytes, c)
}

// raw adds a byte that stood there as it is: ASCII, the second half of a
// character in two bytes, or what a careless writer left, in UTF-8 or the code
// page.
func (o *output) raw(c byte, page int) {
	if !o.isRaw && !(o.half && page == o.page) {
		o.flush()
		o.isRaw = true
	}
	o.page, o.half = page, false
	o.bytes = append(o.bytes, c)
}

// isLead tells whether a byte begins a character in two bytes.
func isLead(c byte, page int) bool {
	switch page {
	case 932:
		return 0x81 <= c && c <= 0x9f || 0xe0 <= c && c <= 0xfc
	case 936, 949, 950:
		return 0x81 <= c && c <= 0xfe
	}
	return false
}

func (o *output) flush() {
	o.flushBytes()
	if o.high != 0 {
		o.text.WriteRune(utf8.RuneError)
		o.high = 0
	}
}

func (o *output) flushBytes() {
	if len(o.bytes) == 0 {
		return
	}
	if o.high != 0 {
		o.text.WriteRune(utf8.RuneError)
		o.high = 0
	}
	if o.isRaw && utf8.Valid(o.bytes) {
		o.text.Write(o.bytes)
	} else {
		o.text.WriteString(decode(o.bytes, o.page))
	}
	o.bytes, o.isRaw, o.half = o.bytes[:0], false, false
}

func decode(b []byte, page int) string {
	e, known := encodings[page]
	if !known {
		e = charmap.Windows1252
	}
	text, err := e.NewDecoder().Bytes(b)
	if err != nil {
		text = b
	}
	return strings.ReplaceAll(strings.ToValidUTF8(string(text), "\ufffd"), "\x00", "")
}
