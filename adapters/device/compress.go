package device

import (
	_ "embed"
	"fmt"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// dictionary is the history that every compressed message may refer to. It is
// plain text, longest-lived phrases last, put together by hand from what chat
// messages and presences are made of. It belongs to version 1 of the link:
// another dictionary is another version.
//
//go:embed dictionary.txt
var dictionary []byte

// dictionaryID stands in every compressed message.
const dictionaryID = 1

// maxMessage is the longest message, uncompressed, in bytes.
const maxMessage = 256 << 10

// compressible is the shortest message that is worth an attempt.
const compressible = 40

// window is the compressor's window: no message is longer.
const window = maxMessage

// codec holds the compressor and the decompressor. Both are stateless between
// calls and safe for concurrent use.
var codec = sync.OnceValues(func() (*zstd.Encoder, *zstd.Decoder) {
	enc, err := zstd.NewWriter(nil,
		zstd.WithEncoderDictRaw(dictionaryID, dictionary), zstd.WithWindowSize(window), zstd.WithLowerEncoderMem(true),
		zstd.WithEncoderCRC(false), zstd.WithEncoderConcurrency(2), zstd.WithEncoderLevel(zstd.SpeedFastest))
	if err != nil {
		panic("device link: compressor: " + err.Error())
	}
	dec, err := zstd.NewReader(nil,
		zstd.WithDecoderDictRaw(dictionaryID, dictionary), zstd.WithDecoderMaxMemory(maxMessage),
		zstd.WithDecoderMaxWindow(window), zstd.WithDecoderLowmem(true), zstd.WithDecoderConcurrency(2))
	if err != nil {
		panic("device link: decompressor: " + err.Error())
	}
	return enc, dec
})

// compress appends m to dst, compressed.
func compress(dst, m []byte) []byte {
	enc, _ := codec()
	return enc.EncodeAll(m, dst)
}

// decompress appends what z holds to dst, or gives [ErrFrame]: also if that is
// longer than a message may be, which it finds out before it has allocated it.
func decompress(dst, z []byte) ([]byte, error) {
	_, dec := codec()
	m, err := dec.DecodeAll(z, dst)
	if err != nil {
		return nil, fmt.Errorf("%w: decompress: %w", ErrFrame, err)
	}
	return m, nil
}
