//go:build unix

package boltlog

import (
	"os"
	"syscall"
)

// inodeOf gives the number of a file's inode, by which a copy differs; zero where it is
// not known.
func inodeOf(path string) uint64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0
	}
	return uint64(stat.Ino)
}
