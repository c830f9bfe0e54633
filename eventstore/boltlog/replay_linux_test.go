package boltlog_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"rollcall/eventstore/boltlog"
)

// BenchmarkReplay reads a log of a town, one record and many at a time. Beside that
// it only decompresses the blocks: there is no reading faster than that.
func BenchmarkReplay(b *testing.B) {
	log, size := townLog(b, 2_000_000)
	total := int(log.Last())
	ways := map[string]func() (n int, err error){
		"read": func() (n int, err error) {
			for _, err := range log.Read(b.Context(), 1) {
				if err != nil {
					return n, err
				}
				n++
			}
			return n, nil
		},
		"blocks": func() (n int, err error) {
			for records, err := range log.Blocks(b.Context(), 1) {
				if err != nil {
					return n, err
				}
				n += len(records)
			}
			return n, nil
		},
		"decompress": func() (n int, err error) {
			last, err := log.Decompress()
			return int(last), err
		},
	}
	for name, read := range ways {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			before := processorTime(b)
			for b.Loop() {
				if n, err := read(); n != total || err != nil {
					b.Fatalf("%d records, %v; want %d", n, err, total)
				}
			}
			b.ReportMetric(float64(processorTime(b)-before)/float64(b.N)/float64(total), "cpu-ns/event")
			b.ReportMetric(float64(b.N)*float64(total)/b.Elapsed().Seconds(), "events/s")
			b.ReportMetric(float64(size)/float64(total), "B/event")
		})
	}
}

// BenchmarkCold reads a log that the kernel has nothing of in its cache, with the file
// read ahead and without, and then once more from the cache, turn by turn.
func BenchmarkCold(b *testing.B) {
	log, size := townLog(b, 2_000_000)
	path := log.Path()
	if err := log.Close(); err != nil {
		b.Fatal(err)
	}
	took := map[string][]time.Duration{}
	for b.Loop() {
		for _, way := range []string{ahead, notAhead, warm, notAhead, ahead, warm} {
			if way != warm {
				dropCache(b, path)
			}
			took[way] = append(took[way], readOnce(b, path, way != notAhead))
		}
	}
	for way, times := range took {
		slices.Sort(times)
		b.ReportMetric(float64(size)/1e6/times[len(times)/2].Seconds(), "MB/s-"+way)
	}
	b.ReportMetric(0, "ns/op") // says nothing
}

const ahead, notAhead, warm = "ahead", "not-ahead", "warm"

// readOnce tells how long it takes to read a log.
func readOnce(b *testing.B, path string, ahead bool) time.Duration {
	log, err := boltlog.Open(filepath.Dir(path), boltlog.Options{ReadOnly: true})
	if err != nil {
		b.Fatal(err)
	}
	defer log.Close()
	if !ahead {
		defer boltlog.DoNotReadAhead()()
	}
	start := time.Now()
	for _, err := range log.Blocks(b.Context(), 1) {
		if err != nil {
			b.Fatal(err)
		}
	}
	return time.Since(start)
}

// dropCache has the kernel forget what it has of a file, and fails if it does not.
func dropCache(b *testing.B, path string) {
	f, err := os.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	if err := errors.Join(f.Sync(), unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED)); err != nil {
		b.Fatal(err)
	}
	info, err := f.Stat()
	if err != nil {
		b.Fatal(err)
	}
	mapped, err := unix.Mmap(int(f.Fd()), 0, int(info.Size()), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		b.Fatal(err)
	}
	defer unix.Munmap(mapped)
	pages := make([]byte, (len(mapped)+os.Getpagesize()-1)/os.Getpagesize())
	if _, _, errno := unix.Syscall(unix.SYS_MINCORE, uintptr(unsafe.Pointer(&mapped[0])), uintptr(len(mapped)), uintptr(unsafe.Pointer(&pages[0]))); errno != 0 {
		b.Fatal(errno)
	}
	in := 0
	for _, p := range pages {
		in += int(p & 1)
	}
	if in > len(pages)/20 {
		b.Skipf("the kernel keeps %d of the file's %d pages", in, len(pages))
	}
}

// processorTime gives what the process has taken of all processors.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
