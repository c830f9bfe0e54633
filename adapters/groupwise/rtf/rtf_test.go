package rtf_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"rollcall/adapters/groupwise/rtf"
)

const fonts = `{\fonttbl{\f0\fcharset0 Arial;}{\f1\fcharset204 Arial Cyr;}{\f2\fcharset128 Mincho;}{\f3\fcharset238 CE;}}`

func TestText(t *testing.T) {
	for name, c := range map[string]struct{ rtf, want string }{
		"an envelope":                         {`{\rtf1\ansi{\fonttbl{\f0\fnil Unknown;}}{\colortbl ;\red0\green0\blue0;}\uc1\cf1\f0\fs24 hi\par}`, "hi"},
		"an envelope in lines":                {"{\\rtf1\\ansi\r\n{\\fonttbl{\\f0 A;}}\r\n\\f0 hi\r\n\\par\r\n}", "hi"},
		"two paragraphs":                      {`{\rtf1 one\par two\line three\par}`, "one\ntwo\nthree"},
		"one line end at the end is left out": {`{\rtf1 one\par\par}`, "one\n"},
		"escaped characters":                  {`{\rtf1 a\{b\}c\\d\~e\_f\-g}`, "a{b}c\\d\u00a0e\u2011fg"},
		"format":                              {`{\rtf1 plain {\b bold {\i\ul both}} plain}`, "plain bold both plain"},
		"a tab and quotation marks":           {`{\rtf1 a\tab b \ldblquote c\rdblquote\emdash}`, "a\tb “c”—"},
		"a destination":                       {`{\rtf1 a{\*\whatever secret {\b more}}b{\info{\author me}}c{\pict 0102}d}`, "abcd"},
		"binary data":                         {`{\rtf1 a\bin4 {{{{b}`, "ab"},
		"western by default":                  {`{\rtf1\ansi caf\'e9}`, "café"},
		"cyrillic by font":                    {`{\rtf1` + fonts + `\f1 \'cf\'f0\'e8\f0 \'e9}`, "Приé"},
		"the font ends with the group":        {`{\rtf1` + fonts + `{\f1 \'cf}\'cf}`, "ПÏ"},
		"japanese in two bytes":               {`{\rtf1` + fonts + `\f2 \'93\'fa\'96\'7b}`, "日本"},
		"japanese with a bare second byte":    {`{\rtf1` + fonts + `\f2 \'83A\'83\'5c}`, "アソ"},
		"the page of the document":            {`{\rtf1\ansi\ansicpg1250 \'e8}`, "č"},
		"bare UTF-8":                          {"{\\rtf1 grün 🙂}", "grün 🙂"},
		"bare bytes of the page":              {"{\\rtf1 gr\xfcn}", "grün"},
		"unicode with a fallback":             {`{\rtf1\uc1 a\u233?b\u233 ?c\u-3913?d}`, "aébéc\uf0b7d"},
		"a fallback in hex":                   {`{\rtf1\uc1\u1055\'3fx}`, "Пx"},
		"two characters of fallback":          {`{\rtf1\uc2\u1055??x{\uc0\u1055 y}\u1055??}`, "ПxПyП"},
		"a fallback ends with its group":      {`{\rtf1\uc1{\u233}x}`, "éx"},
		"a surrogate pair":                    {`{\rtf1\uc1\u-10179?\u-8704?!}`, "😀!"},
		"a whole code point":                  {`{\rtf1\uc1\u128512?!}`, "😀!"},
		"half a pair":                         {`{\rtf1\uc1\u-10179?!\u-8704?}`, "\ufffd!\ufffd"},
		"a number that is no character":       {`{\rtf1\uc1\u999999999?a\u0?b}`, "\ufffda\ufffdb"},
		"not RTF at all":                      {"just text \\par", "just text \\par"},
		"nothing":                             {"", ""},
		"cut in a control":                    {`{\rtf1 abc\pa`, "abc"},
		"cut in an escape":                    {`{\rtf1 abc\'e`, "abc"},
		"cut in a destination":                {`{\rtf1 abc{\fonttbl{\f0 Ar`, "abc"},
		"a brace too many":                    {`{\rtf1 abc}}}} def`, "abc def"},
		"a NUL":                               {"{\\rtf1 ab\x00c}\x00", "abc"},
		"plain text with a NUL":               {"abc\x00", "abc"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := rtf.Text(c.rtf); got != c.want {
				t.Errorf("Text(%q) = %q, want %q", c.rtf, got, c.want)
			}
		})
	}
}

func TestWrite(t *testing.T) {
	const head, tail = `{\rtf1\ansi{\fonttbl{\f0\fnil Unknown;}}{\colortbl ;\red0\green0\blue0;}\uc1\cf1\f0\fs24 `, `\par}`
	for name, c := range map[string]struct {
		text    string
		dialect rtf.Dialect
		want    string
	}{
		"plain":               {"hi", rtf.CodePoints, "hi"},
		"escapes":             {`a\b{c}`, rtf.CodePoints, `a\\b\{c\}`},
		"lines":               {"a\nb\r\nc\rd", rtf.CodePoints, `a\par b\par c\par d`},
		"accents":             {"é", rtf.CodePoints, `\u233?`},
		"above 32767":         {"\uf0b7", rtf.CodePoints, `\u61623?`},
		"above 32767, signed": {"\uf0b7", rtf.Surrogates, `\u-3913?`},
		"beyond the BMP":      {"😀", rtf.CodePoints, `\u128512?`},
		"in surrogates":       {"😀", rtf.Surrogates, `\u-10179?\u-8704?`},
		"control characters":  {"\t\x01\x00", rtf.CodePoints, `\tab \'01`},
	} {
		t.Run(name, func(t *testing.T) {
			if got, want := rtf.Write(c.text, c.dialect), head+c.want+tail; got != want {
				t.Errorf("Write(%q) = %s, want %s", c.text, got, want)
			}
		})
	}
}

// TestRoundTrip holds for any text but for a NUL and for the two ways to end a
// line that become one.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := strings.NewReplacer("\x00", "", "\r", "").Replace(rapid.String().Draw(t, "text"))
		for _, dialect := range []rtf.Dialect{rtf.CodePoints, rtf.Surrogates} {
			if got := rtf.Text(rtf.Write(text, dialect)); got != text {
				t.Fatalf("Text(Write(%q, %d)) = %q", text, dialect, got)
			}
		}
	})
}

func TestHostileInput(t *testing.T) {
	const n = 100_000
	for name, in := range map[string]string{
		"deep groups":               `{\rtf1` + strings.Repeat("{", n) + "x",
		"deep groups that set":      `{\rtf1` + strings.Repeat(`{\uc2\f1`, n/8) + "x",
		"closed groups":             `{\rtf1` + strings.Repeat("}", n) + "x",
		"half characters":           `{\rtf1` + fonts + `\f2` + strings.Repeat(`\'83A`, n/5) + "x",
		"many fonts":                `{\rtf1{\fonttbl` + strings.Repeat(`\f7\fcharset1`, n/13) + "}x",
		"a number without end":      `{\rtf1\u` + strings.Repeat("9", n) + "?x",
		"a word without end":        `{\rtf1\` + strings.Repeat("a", n) + " x",
		"a fallback that is a book": `{\rtf1\uc999999999` + strings.Repeat(`\u65`, 100) + strings.Repeat("?", 64) + "x",
		"a huge binary":             `{\rtf1 x\bin999999999 `,
	} {
		t.Run(name, func(t *testing.T) {
			if got := rtf.Text(in); !strings.HasSuffix(got, "x") {
				t.Errorf("Text = …%q, want the x at the end", got[max(0, len(got)-20):])
			}
		})
	}
}

func FuzzText(f *testing.F) {
	f.Add(`{\rtf1` + fonts + `\f2 \'93\'fa\uc1\u-10179?\u-8704?{\*\x y}\par}`)
	f.Add("plain")
	f.Fuzz(func(t *testing.T, in string) {
		text := rtf.Text(in)
		if !utf8.ValidString(text) || strings.Contains(text, "\x00") {
			t.Fatalf("Text(%q) = %q, which is no clean text", in, text)
		}
		if len(text) > 3*len(in)+3 {
			t.Fatalf("Text of %d bytes has %d", len(in), len(text))
		}
		if again := rtf.Text(rtf.Write(text, rtf.CodePoints)); again != strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(text) {
			t.Fatalf("Text(Write(%q)) = %q", text, again)
		}
	})
}
