package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// size gives how many bytes the files of a folder take.
func size(dir string) (bytes int64, err error) {
	err = filepath.WalkDir(dir, func(_ string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		bytes += info.Sys().(*syscall.Stat_t).Blocks * 512
		return nil
	})
	return bytes, err
}

// written gives how many bytes the device that a folder lies on has written, for
// whomever. What a process had the kernel write (proc_pid_io(5)) would not do: a
// page of a large folio counts there for the whole folio.
func written(dir string) (int64, error) {
	info, err := os.Stat(dir)
	if err != nil {
		return 0, err
	}
	device := info.Sys().(*syscall.Stat_t).Dev
	b, err := os.ReadFile(fmt.Sprintf("/sys/dev/block/%d:%d/stat", device>>8&0xfff, device&0xff|device>>12&0xfff00))
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(b)) // Documentation/block/stat.rst: the seventh is sectors written
	if len(fields) < 7 {
		return 0, fmt.Errorf("the statistics of the device: %q", b)
	}
	sectors, err := strconv.ParseInt(fields[6], 10, 64)
	return sectors * 512, err
}
