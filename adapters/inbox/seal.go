package inbox

import (
	"encoding/binary"
	"hash/crc32"
)

// Every stored value ends with a checksum:
//
//	value            any length
//	CRC-32C          4 bytes, big-endian, over the key and then the value
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func checksum(key, value []byte) uint32 {
	return crc32.Update(crc32.Checksum(key, castagnoli), castagnoli, value)
}

// seal appends the checksum to a value.
func seal(key, value []byte) []byte {
	return binary.BigEndian.AppendUint32(value, checksum(key, value))
}

// unseal gives the value without its checksum; false if it is not true.
func unseal(key, sealed []byte) ([]byte, bool) {
	n := len(sealed) - crc32.Size
	if n < 0 {
		return nil, false
	}
	return sealed[:n], binary.BigEndian.Uint32(sealed[n:]) == checksum(key, sealed[:n])
}
