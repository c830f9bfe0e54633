package sametime

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"html"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/textproto"
	"strings"
)

// breaks are the elements that begin a new line.
var breaks = map[string]bool{"br": true, "p": true, "div": true, "li": true, "tr": true, "hr": true}

// hidden are the elements whose content is nothing to read.
var hidden = map[string]bool{"script": true, "style": true, "head": true, "title": true}

// plain gives the text of a message in HTML.
func plain(source string) string {
	var b strings.Builder
	skip := "" // the hidden element that we are in
	for source != "" {
		text, rest, more := strings.Cut(source, "<")
		if skip == "" {
			b.WriteString(text)
		}
		if !more {
			break
		}
		tag, after, closed := strings.Cut(rest, ">")
		if !closed { // no tag but a sign
			if skip == "" {
				b.WriteString("<" + rest)
			}
			break
		}
		source = after
		name, ends := element(tag)
		switch {
		case skip != "":
			if ends && name == skip {
				skip = ""
			}
		case hidden[name] && !ends:
			skip = name
		case breaks[name] && !ends && (name == "br" || b.Len() > 0):
			b.WriteByte('\n')
		}
	}
	return strings.TrimSpace(html.UnescapeString(b.String()))
}

// element gives the name in a tag, and whether the tag ends the element.
func element(tag string) (name string, ends bool) {
	tag, ends = strings.CutPrefix(tag, "/")
	end := strings.IndexFunc(tag, func(r rune) bool { return r == '/' || r <= ' ' })
	if end >= 0 {
		tag = tag[:end]
	}
	return strings.ToLower(tag), ends
}

// maxParts bounds the parts of a MIME message, and how deep they may stand in each
// other.
const (
	maxParts = 32
	maxDepth = 4
)

// plainMIME gives the text of a MIME message: of its first part that is text.
func plainMIME(source []byte) (string, bool) {
	r := bufio.NewReader(bytes.NewReader(source))
	header, err := textproto.NewReader(r).ReadMIMEHeader()
	if err != nil && len(header) == 0 {
		return "", false
	}
	return plainPart(header, r, maxDepth)
}

func plainPart(header textproto.MIMEHeader, body io.Reader, depth int) (string, bool) {
	kind, params, err := mime.ParseMediaType(header.Get("Content-Type"))
	switch {
	case err != nil || kind == "text/plain":
		text, err := io.ReadAll(decoded(header, body))
		return strings.TrimSpace(string(text)), err == nil
	case kind == "text/html":
		text, err := io.ReadAll(decoded(header, body))
		return plain(string(text)), err == nil
	case strings.HasPrefix(kind, "multipart/") && params["boundary"] != "" && depth > 0:
		parts := multipart.NewReader(body, params["boundary"])
		for range maxParts {
			part, err := parts.NextRawPart()
			if err != nil {
				return "", false
			}
			if text, ok := plainPart(part.Header, part, depth-1); ok {
				return text, true
			}
		}
	}
	return "", false
}

func decoded(header textproto.MIMEHeader, body io.Reader) io.Reader {
	switch strings.ToLower(header.Get("Content-Transfer-Encoding")) {
	case "base64":
		return base64.NewDecoder(base64.StdEncoding, body)
	case "quoted-printable":
		return quotedprintable.NewReader(body)
	}
	return body
}
