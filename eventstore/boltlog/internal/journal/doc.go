// Package journal keeps what was written last, until it lies elsewhere: one frame
// for each batch, made durable with one write and one sync.
//
// # Segments
//
// The journal is a folder of segments: files that are filled with zeros and synced
// before they get their names, so that writing into them changes no metadata and
// can find no disk full. A segment is named by its number, in 16 hexadecimal
// digits, and begins with its head:
//
//	  0  magic           4  "RCJS"
//	  4  format          4
//	  8  journal         16 the journal's id
//	 24  number          8  of the segment
//	 32  size            8  of the file in bytes
//	 40  zeros
//	508  CRC-32C         4  over journal, and bytes 0 to 507
//
// When all its frames lie elsewhere a segment is zeroed and used again under the
// next number. A file "new-…" is a segment in the making and may be deleted.
//
// # Frames
//
// Behind the head lie frames, each on sectors of 512 bytes of its own. A frame is
//
//	 0  magic           4  "RCJF"
//	 4  length          4  of the content in bytes
//	 8  number          8  of the frame: 1, 2, 3, … for the life of the journal
//	16  after           8  the last position in front of the frame
//	24  last            8  the last position with the frame
//	32  content
//
// cut into pieces of 508 bytes, the last of which is filled with zeros. A sector
// is a piece and a checksum:
//
//	  0  piece           508
//	508  CRC-32C         4  over journal, the frame's number (8), the sector's place
//	                        in the frame, from 0 (4), and the piece
//
// Numbers are big-endian. A frame that does not fit behind the last one begins the
// next segment; one that fits no segment gets a larger one.
//
// # Where it ends
//
// A frame is only written when the one in front of it is synced. So all frames but
// the last are known to be whole, and behind the last there are zeros. What a
// crash can leave of the frame that was being written is some of its sectors, each
// as written or still zero, because a disk writes a sector as a whole or not at
// all. Sectors like that behind the last whole frame are a torn frame, which
// nobody was told of; it is zeroed. Any other sector is damage: a bit that has
// changed in the last frame is not taken for a crash.
//
// What cannot be told from a crash is a sector of the very last frame that has
// turned into zeros; nor frames that have, as long as none is left behind them.
// [Journal.Close] writes an empty frame, which proves the one in front of it. Whoever
// keeps the journal notes now and then, elsewhere, which frame it has reached; see
// [Expect]. So this concerns only what came after that, in a journal that was not
// closed.
//
// # What it never does
//
// It never writes over a byte that was acknowledged, except to free it, or, on
// opening, to write the last frame once more as it is: an earlier process may
// have failed to sync it, and then it is only in memory. It never goes on
// after a write or a sync that failed. It does not know what is in a frame.
package journal
