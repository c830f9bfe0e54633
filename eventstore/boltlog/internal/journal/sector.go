package journal

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
)

// The sizes of what is on the disk.
const (
	sectorSize = 512
	pieceSize  = sectorSize - crc32.Size
)

var (
	castagnoli = crc32.MakeTable(crc32.Castagnoli)
	zeroSector [sectorSize]byte
)

// ID names a journal: drawn when it is made, and part of every checksum, so that
// nothing of another journal is taken for this one's.
type ID [16]byte

// seed is the checksum of the id, with which every other begins.
func (id ID) seed() uint32 { return crc32.Checksum(id[:], castagnoli) }

// sealHead gives the checksum of a segment's head.
func sealHead(seed uint32, piece []byte) uint32 { return crc32.Update(seed, castagnoli, piece) }

// sealPiece gives the checksum of a piece of a frame.
func sealPiece(seed uint32, frame uint64, index uint32, piece []byte) uint32 {
	var b [12]byte
	binary.BigEndian.PutUint64(b[:], frame)
	binary.BigEndian.PutUint32(b[8:], index)
	return crc32.Update(crc32.Update(seed, castagnoli, b[:]), castagnoli, piece)
}

// isPiece tells whether a sector is that piece of that frame.
func isPiece(seed uint32, frame uint64, index uint32, sector []byte) bool {
	return binary.BigEndian.Uint32(sector[pieceSize:]) == sealPiece(seed, frame, index, sector[:pieceSize])
}

func isZero(sector []byte) bool { return bytes.Equal(sector, zeroSector[:]) }
