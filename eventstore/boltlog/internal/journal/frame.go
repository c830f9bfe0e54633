package journal

import (
	"encoding/binary"

	"rollcall/eventstore"
)

const (
	frameMagic = "RCJF"
	frameHead  = 32
)

// MaxContent is the most bytes in a frame.
const MaxContent = 1 << 30

// Frame is one batch as it lies in the journal.
type Frame struct {
	Number      uint64
	After, Last eventstore.Position // the log's last position in front of it and with it
	Content     []byte
}

// sectors tells how many sectors a frame with so much content takes.
func sectors(content int) int { return (frameHead + content + pieceSize - 1) / pieceSize }

// appendFrame appends a frame's sectors to dst.
func appendFrame(dst []byte, seed uint32, f Frame) []byte {
	var head [frameHead]byte
	copy(head[:], frameMagic)
	binary.BigEndian.PutUint32(head[4:], uint32(len(f.Content)))
	binary.BigEndian.PutUint64(head[8:], f.Number)
	binary.BigEndian.PutUint64(head[16:], uint64(f.After))
	binary.BigEndian.PutUint64(head[24:], uint64(f.Last))
	rest := f.Content
	for i := range sectors(len(f.Content)) {
		start := len(dst)
		if i == 0 {
			dst = append(dst, head[:]...)
		}
		n := min(len(rest), start+pieceSize-len(dst))
		dst, rest = append(dst, rest[:n]...), rest[n:]
		dst = append(dst, zeroSector[:start+pieceSize-len(dst)]...)
		dst = binary.BigEndian.AppendUint32(dst, sealPiece(seed, f.Number, uint32(i), dst[start:]))
	}
	return dst
}

// readHead reads the head of the frame that a sector begins, without its content,
// and tells how long that is; false if no frame begins here.
func readHead(seed uint32, sector []byte) (f Frame, length int, ok bool) {
	if string(sector[:4]) != frameMagic {
		return Frame{}, 0, false
	}
	f.Number = binary.BigEndian.Uint64(sector[8:])
	f.After = eventstore.Position(binary.BigEndian.Uint64(sector[16:]))
	f.Last = eventstore.Position(binary.BigEndian.Uint64(sector[24:]))
	length = int(binary.BigEndian.Uint32(sector[4:]))
	return f, length, length <= MaxContent && isPiece(seed, f.Number, 0, sector)
}

// readFrame reads the frame at the beginning of b, which is whole sectors, and
// gives how many bytes it takes; false if there is no whole frame.
func readFrame(seed uint32, b []byte) (f Frame, size int, ok bool) {
	if len(b) < sectorSize {
		return Frame{}, 0, false
	}
	f, length, ok := readHead(seed, b)
	n := sectors(length)
	if !ok || n > len(b)/sectorSize {
		return Frame{}, 0, false
	}
	content := make([]byte, 0, n*pieceSize)
	for i := range n {
		sector := b[i*sectorSize:][:sectorSize]
		if !isPiece(seed, f.Number, uint32(i), sector) {
			return Frame{}, 0, false
		}
		content = append(content, sector[:pieceSize]...)
	}
	f.Content = content[frameHead:][:length]
	return f, n * sectorSize, true
}
