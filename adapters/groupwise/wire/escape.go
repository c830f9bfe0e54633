package wire

import "strings"

const hexDigits = "0123456789abcdef"

// appendEscaped writes a value as requests have it: letters and digits as they
// are, a space as +, and each other byte as % with two digits in lower case.
func appendEscaped(b []byte, value string) []byte {
	for i := range len(value) {
		switch c := value[i]; {
		case 'A' <= c && c <= 'Z', 'a' <= c && c <= 'z', '0' <= c && c <= '9':
			b = append(b, c)
		case c == ' ':
			b = append(b, '+')
		default:
			b = append(b, '%', hexDigits[c>>4], hexDigits[c&15])
		}
	}
	return b
}

// unescape undoes appendEscaped. Widely used clients cut a long value off, maybe
// inside of an escape, and put a NUL there: an escape that is cut off is dropped, and
// so is every NUL that is not escaped.
func unescape(text string) string {
	text = strings.ReplaceAll(text, "\x00", "")
	var value strings.Builder
	value.Grow(len(text))
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case '+':
			value.WriteByte(' ')
		case '%':
			high, low := nibble(text, i+1), nibble(text, i+2)
			if i+2 >= len(text) {
				return value.String()
			}
			if high < 0 || low < 0 {
				continue
			}
			value.WriteByte(byte(high<<4 | low))
			i += 2
		default:
			value.WriteByte(c)
		}
	}
	return value.String()
}

// nibble gives the value of the hexadecimal digit at i; -1 if there is none.
func nibble(text string, i int) int {
	if i >= len(text) {
		return -1
	}
	switch c := text[i]; {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c - 'a' + 10)
	case 'A' <= c && c <= 'F':
		return int(c - 'A' + 10)
	}
	return -1
}
