package journal

import (
	"bytes"
	"math/rand/v2"
	"os"
	"testing"
)

// What is written past the page cache is what a reader through it sees, also
// where that has read the same page before.
func TestWriteSectors(t *testing.T) {
	const size = 64 << 10
	folders := map[string]string{"disk": t.TempDir()}
	if memory, err := os.MkdirTemp("/dev/shm", "rollcall-test-"); err == nil {
		t.Cleanup(func() { os.RemoveAll(memory) })
		folders["memory"] = memory
	}
	for name, dir := range folders {
		t.Run(name, func(t *testing.T) {
			f, err := folder(dir).Create("segment")
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			if openDirect(folder(dir).path("segment")) == nil {
				t.Log("this file system takes no writes past the page cache")
			}
			want := make([]byte, size)
			if _, err := f.WriteAt(want, 0); err != nil {
				t.Fatal(err)
			}
			for range 200 {
				n := 1 + rand.IntN(size/sectorSize/4)
				at := rand.IntN(size/sectorSize-n) * sectorSize
				b := alignedBuffer(n * sectorSize)[:n*sectorSize]
				for i := range b {
					b[i] = byte(rand.Uint32())
				}
				copy(want[at:], b)
				if _, err := f.WriteSectors(b, int64(at)); err != nil {
					t.Fatalf("%d sectors at %d: %v", n, at, err)
				}
				if got, err := readAll(f); err != nil || !bytes.Equal(got, want) {
					t.Fatalf("%d sectors at %d: the file reads otherwise (%v)", n, at, err)
				}
			}
		})
	}
}
