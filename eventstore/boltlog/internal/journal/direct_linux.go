package journal

import (
	"os"

	"golang.org/x/sys/unix"
)

// openDirect opens a file for writes past the page cache (O_DIRECT, open(2)); nil
// where the file system does not say that it takes them in sectors (statx(2),
// STATX_DIOALIGN, since Linux 6.1).
func openDirect(path string) *os.File {
	var stat unix.Statx_t
	if unix.Statx(unix.AT_FDCWD, path, 0, unix.STATX_DIOALIGN, &stat) != nil || stat.Mask&unix.STATX_DIOALIGN == 0 {
		return nil
	}
	if stat.Dio_offset_align == 0 || stat.Dio_offset_align > sectorSize || stat.Dio_mem_align > directAlign {
		return nil
	}
	f, err := os.OpenFile(path, os.O_WRONLY|unix.O_DIRECT, 0)
	if err != nil {
		return nil // the page cache will do
	}
	return f
}
