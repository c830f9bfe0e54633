package xmpp

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

// FuzzStream reads arbitrary bytes as a stream: it must neither panic nor take
// more than its bounds, must not depend on how the bytes arrive, and what it read
// must read the same when it is written again.
func FuzzStream(f *testing.F) {
	const open = "<?xml version='1.0'?><stream:stream version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' xmlns:x='urn:x'>"
	for _, seed := range []string{
		"", open, open + "<stream:features><x:a b='c'>d</x:a></stream:features></stream:stream>",
		open + " \n<message from='a@b/c'><body>x &amp; &#10;<![CDATA[<y>]]></body></message><a/>",
		open + "<!-- -->", open + "<a><!DOCTYPE b></a>", open + "<a>&e;</a>", open + "<a></b>", open + strings.Repeat("<a>", 40),
		open + "\x00\xff", "<stream:stream/>", open + "<y:a/>",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		whole := readStream(t, bytes.NewReader(data))
		if diff := cmp.Diff(whole, readStream(t, iotest.OneByteReader(bytes.NewReader(data)))); diff != "" {
			t.Errorf("read at once and byte by byte differ (-whole +bytes):\n%s", diff)
		}
		written := open + strings.Join(whole, "")
		if diff := cmp.Diff(whole, readStream(t, strings.NewReader(written))); diff != "" {
			t.Errorf("read, written and read again differ (-first +second):\n%s\n%s", diff, written)
		}
	})
}

// readStream gives every element of a stream in a form of its own.
func readStream(t *testing.T, from io.Reader) []string {
	t.Helper()
	r := newStreamReader(from)
	r.limit = 4096
	if _, err := r.open(); err != nil {
		return nil
	}
	var all []string
	for {
		e, err := r.next(func() {})
		if err != nil {
			if e != nil {
				t.Errorf("both an element and the error %v", err)
			}
			return all
		}
		var b strings.Builder
		writeElement(t, &b, e, 1)
		all = append(all, b.String())
	}
}

// writeElement writes an element with no prefixes and its text in front.
func writeElement(t *testing.T, b *strings.Builder, e *element, depth int) {
	t.Helper()
	if depth > maxStanzaDepth {
		t.Fatalf("an element %d deep was taken", depth)
	}
	b.WriteString("<" + e.name.Local + ` xmlns="` + escape(e.name.Space) + `">`)
	b.WriteString(escape(e.text))
	for _, c := range e.children {
		writeElement(t, b, c, depth+1)
	}
	b.WriteString("</" + e.name.Local + ">")
}

func TestStreamLimits(t *testing.T) {
	const open = "<stream:stream version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"
	text := func(n int) string { return "<a>" + strings.Repeat("x", n-len("<a></a>")) + "</a>" }
	nested := func(n int) string { return strings.Repeat("<a>", n) + strings.Repeat("</a>", n) }
	for _, c := range []struct {
		name, sends string
		want        error
	}{
		{"as large as may be", text(maxUnauthBytes), nil},
		{"a byte larger", text(maxUnauthBytes + 1), errTooBig},
		{"as deep as may be", nested(maxStanzaDepth), nil},
		{"one deeper", nested(maxStanzaDepth + 1), errTooBig},
		{"the end", "</stream:stream>", errStreamEnd},
		{"nothing", "", io.EOF},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newStreamReader(strings.NewReader(open + c.sends))
			if _, err := r.open(); err != nil {
				t.Fatal(err)
			}
			if _, err := r.next(func() {}); !errors.Is(err, c.want) {
				t.Errorf("next = %v, want %v", err, c.want)
			}
		})
	}
}

func TestRosterCacheIsBounded(t *testing.T) {
	c := newRosterCache()
	for i := range maxCachedContacts {
		c.put(&cachedRoster{key: strings.Repeat("k", i%1000) + string(rune('a'+i/1000)), version: "1", contacts: nil})
	}
	c.put(&cachedRoster{key: "one more", version: "1"})
	c.put(&cachedRoster{key: "and one", version: "1"})
	if c.size > maxCachedContacts || len(c.byKey) != c.order.Len() {
		t.Errorf("the cache holds %d, with %d keys and %d in order; want at most %d", c.size, len(c.byKey), c.order.Len(), maxCachedContacts)
	}
	if c.get("one more") == nil || c.get("a") != nil {
		t.Error("the cache forgot a roster put last, or kept the one put first")
	}
}
