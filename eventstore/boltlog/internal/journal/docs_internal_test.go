package journal

import (
	"encoding/binary"
	"encoding/hex"
	"os"
	"strings"
	"testing"
)

// The sectors drawn in docs/storage-format.md are what is written.
func TestDocsExample(t *testing.T) {
	page, err := os.ReadFile("../../../../docs/storage-format.md")
	if err != nil {
		t.Fatal(err)
	}
	_, example, _ := strings.Cut(string(page), "```journal-example\n")
	example, _, found := strings.Cut(example, "```\n")
	if !found {
		t.Fatal("there is no example in the page")
	}
	var id ID
	var sectors []string // as the page has them
	for line := range strings.Lines(example) {
		name, text, _ := strings.Cut(strings.TrimSpace(line), " ")
		b, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
		if err != nil {
			t.Fatal(err)
		}
		switch name {
		case "id":
			copy(id[:], b)
		case "checksum":
			sectors[len(sectors)-1] += string(b)
		default:
			sectors = append(sectors, string(b)+strings.Repeat("\x00", pieceSize-len(b)))
		}
	}
	head := appendSegmentHead(nil, id, 1, 4<<20)
	frame := appendFrame(nil, id.seed(), Frame{Number: 7, After: 4, Last: 5, Content: []byte("abc")})
	for i, want := range [][]byte{head, frame} {
		if i >= len(sectors) || sectors[i] != string(want) {
			t.Errorf("sector %d of the page is not %x … %08x", i, want[:40], binary.BigEndian.Uint32(want[pieceSize:]))
		}
	}
}
