package sametime

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"rollcall/adapters/sametime/wire"
)

func TestPlain(t *testing.T) {
	for source, want := range map[string]string{
		"just text":                         "just text",
		"<p>one</p><p>two</p>":              "one\ntwo",
		"a<br/>b<BR>c":                      "a\nb\nc",
		"&lt;b&gt; &amp; &#128578; &uuml;":  "<b> & 🙂 ü",
		"<script>evil()</script>good":       "good",
		"<head><title>x</title></head>body": "body",
		"<style>p{}</style":                 "",
		"3 < 4":                             "3 < 4",
		"<font color='red'>red</font>":      "red",
		"<script>never ends":                "",
	} {
		if got := plain(source); got != want {
			t.Errorf("plain(%q) = %q, want %q", source, got, want)
		}
	}
}

func TestPlainMIME(t *testing.T) {
	for name, c := range map[string]struct {
		source, want string
		ok           bool
	}{
		"plain text":     {"Content-Type: text/plain\r\n\r\nhello\r\n", "hello", true},
		"base64":         {"Content-Type: text/html\r\nContent-Transfer-Encoding: base64\r\n\r\nPGI+aGk8L2I+", "hi", true},
		"no header":      {"hello", "", false},
		"pictures only":  {"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: image/png\r\n\r\nx\r\n--b--\r\n", "", false},
		"too deep":       {nested(9), "", false},
		"not too deep":   {nested(3), "x", true},
		"an alternative": {"Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nfirst\r\n--b\r\nContent-Type: text/html\r\n\r\nsecond\r\n--b--\r\n", "first", true},
	} {
		if got, ok := plainMIME([]byte(c.source)); got != c.want || ok != c.ok {
			t.Errorf("%s: plainMIME = %q, %t, want %q, %t", name, got, ok, c.want, c.ok)
		}
	}
}

// nested gives a text so many parts deep.
func nested(depth int) string {
	if depth == 0 {
		return "Content-Type: text/plain\r\n\r\nx\r\n"
	}
	boundary := fmt.Sprint("b", depth)
	return "Content-Type: multipart/mixed; boundary=" + boundary + "\r\n\r\n--" + boundary + "\r\n" + nested(depth-1) + "--" + boundary + "--\r\n"
}

func TestPieces(t *testing.T) {
	for _, c := range []struct {
		text  string
		limit int
		want  string
	}{
		{"", 5, ""}, {"abc", 5, "abc"}, {"abcdef", 5, "abcde|f"}, {"äöü", 5, "äö|ü"}, {"🙂🙂", 5, "🙂|🙂"},
	} {
		var got []string
		for p := range pieces(c.text, c.limit) {
			got = append(got, p)
		}
		if strings.Join(got, "|") != c.want {
			t.Errorf("pieces(%q, %d) = %q, want %q", c.text, c.limit, got, c.want)
		}
	}
}

func TestShorten(t *testing.T) {
	for text, want := range map[string]string{
		" two\r\nlines ": "two lines", strings.Repeat("ä", 600): strings.Repeat("ä", 512) + "…", "x\xff": "x�",
	} {
		if got := shorten(text); got != want {
			t.Errorf("shorten(%.20q) = %.20q…, want %.20q…", text, got, want)
		}
	}
}

func TestEveryReasonHasAMeaning(t *testing.T) {
	for _, r := range wire.Reasons() {
		if m, known := meanings[r]; !known || m.text == "" || m.code == 0 {
			t.Errorf("%v has no meaning", r)
		}
	}
	if len(meanings) != len(wire.Reasons()) {
		t.Errorf("%d reasons have a meaning, %d a name", len(meanings), len(wire.Reasons()))
	}
}

func FuzzText(f *testing.F) {
	f.Add("<p>one</p>two &lt;", 5)
	f.Add("\xed\xa0\xbd\xed\xb9\x82\xc0\x80\xff", 4)
	f.Fuzz(func(t *testing.T, source string, limit int) {
		text := readable(source)
		if !utf8.ValidString(text) || readable(text) != text || len(text) > 3*len(source) {
			t.Errorf("readable(%q) = %q", source, text)
		}
		if got := plain(text); !utf8.ValidString(got) {
			t.Errorf("plain(%q) = %q", text, got)
		}
		if got := shorten(source); !utf8.ValidString(got) || strings.ContainsAny(got, "\r\n") || len(got) > maxText+len("…") {
			t.Errorf("shorten(%q) = %q", source, got)
		}
		limit = utf8.UTFMax + int(uint(limit)%64)
		whole := ""
		for p := range pieces(text, limit) {
			if whole += p; len(p) > limit || p == "" || !utf8.ValidString(p) {
				t.Errorf("a piece of %q is %q", text, p)
			}
		}
		if whole != text {
			t.Errorf("the pieces of %q make %q", text, whole)
		}
	})
}

func FuzzPlainMIME(f *testing.F) {
	f.Add([]byte("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>x\r\n--b--\r\n"))
	f.Fuzz(func(t *testing.T, source []byte) {
		if text, _ := plainMIME(source); len(text) > 3*len(source)+16 {
			t.Errorf("%d bytes of text come out of %d", len(text), len(source))
		}
	})
}
