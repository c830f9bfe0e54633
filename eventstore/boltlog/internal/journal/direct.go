package journal

import "unsafe"

// directAlign is where memory has to begin for a write past the page cache: at a
// multiple of a page, more than any device asks for.
const directAlign = 4096

// alignedBuffer gives an empty buffer that begins at a multiple of directAlign and
// has room for so many bytes.
func alignedBuffer(size int) []byte {
	b := make([]byte, size+directAlign)
	skip := int(-uintptr(unsafe.Pointer(unsafe.SliceData(b))) % directAlign)
	return b[skip:skip:len(b)]
}
