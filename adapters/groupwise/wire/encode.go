package wire

import "encoding/binary"

// appendString writes length, bytes and a NUL, which the length counts.
func appendString(b []byte, s string) []byte {
	b = binary.LittleEndian.AppendUint32(b, uint32(len(s)+1))
	b = append(b, s...)
	return append(b, 0)
}

// appendField writes a field as responses have it:
//
//	uint8   type
//	uint8   method
//	string  tag
//	value   arrays: uint32 count, then that many fields
//	        text:   string
//	        others: uint32
func appendField(b []byte, f Field) []byte {
	b = append(b, byte(f.Type), byte(f.Method))
	b = appendString(b, f.Tag)
	switch {
	case f.Type.isArray():
		b = binary.LittleEndian.AppendUint32(b, uint32(len(f.Fields)))
		for _, child := range f.Fields {
			b = appendField(b, child)
		}
		return b
	case f.Type.isText():
		return appendString(b, f.Text)
	}
	return binary.LittleEndian.AppendUint32(b, f.Number)
}
