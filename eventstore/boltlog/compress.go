package boltlog

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync"

	"github.com/klauspost/compress/zstd"

	"rollcall/eventstore/codec"
)

// The first byte of a stored block says how the rest is to be read:
//
//	blockPlain   the message Block
//	blockZstd    records 4, size 4 (big-endian), and the message Block of that
//	             size, compressed (zstd, RFC 8878)
const (
	blockPlain = 1
	blockZstd  = 2

	zstdHead = 9
	// zstdSlack is what the decoder wants to have free behind what it gives.
	zstdSlack = 64
)

var errBlock = errors.New("the block cannot be read")

// compressor gives the one encoder and decoder, which are safe for concurrent use.
var compressor = sync.OnceValues(func() (*zstd.Encoder, *zstd.Decoder) {
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(false), zstd.WithLowerEncoderMem(true))
	if err != nil {
		panic(err) // the options are fixed
	}
	dec, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecoderMaxMemory(codec.MaxBlock))
	if err != nil {
		panic(err)
	}
	return enc, dec
})

// compress gives a stored block: as it is, where compressing does not make it
// smaller.
func compress(records int, block []byte) []byte {
	enc, _ := compressor()
	b := make([]byte, 0, zstdHead+len(block)/2)
	b = append(b, blockZstd)
	b = binary.BigEndian.AppendUint32(b, uint32(records))
	b = binary.BigEndian.AppendUint32(b, uint32(len(block)))
	if b = enc.EncodeAll(block, b); len(b) > len(block) {
		return append(append(b[:0], blockPlain), block...)
	}
	return b
}

// peek gives what a stored block says of itself: its number of records, or, where
// it is plain, -1 and the message Block.
func peek(value []byte) (block []byte, records int, err error) {
	switch {
	case len(value) > 0 && value[0] == blockPlain:
		return value[1:], -1, nil
	case len(value) < zstdHead || value[0] != blockZstd:
		return nil, 0, fmt.Errorf("%w: it is not of a kind that this version knows: % .1x", errBlock, value)
	}
	records = int(binary.BigEndian.Uint32(value[1:]))
	if size := plainSize(value); size > codec.MaxBlock || records == 0 || records > size {
		return nil, 0, fmt.Errorf("%w: it tells of %d records in %d bytes", errBlock, records, size)
	}
	return nil, records, nil
}

func plainSize(value []byte) int { return int(binary.BigEndian.Uint32(value[5:])) }

// decompress gives the message Block of a stored block, in buf, which grows if it
// has to, or in value itself.
func decompress(buf *[]byte, value []byte) ([]byte, error) {
	block, records, err := peek(value)
	if err != nil || records < 0 {
		return block, err
	}
	size := plainSize(value)
	if cap(*buf) < size {
		*buf = make([]byte, 0, size+size/4+zstdSlack) // the next may be a little larger
	}
	_, dec := compressor()
	block, err = dec.DecodeAll(value[zstdHead:], (*buf)[:0])
	if err != nil || len(block) != size {
		return nil, fmt.Errorf("%w: it does not give the %d bytes it should: %v", errBlock, size, err)
	}
	return block, nil
}

// countRecords tells how many records a stored block has, or says it has.
func countRecords(value []byte) (int, error) {
	block, records, err := peek(value)
	if err != nil || records >= 0 {
		return records, err
	}
	opened, err := codec.OpenBlock(block)
	if err != nil {
		return 0, err
	}
	records = 0
	for _, err := range opened.Raw() {
		if err != nil {
			return 0, err
		}
		records++
	}
	return records, nil
}
