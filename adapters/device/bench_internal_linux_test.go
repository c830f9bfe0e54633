//go:build linux

package device

import (
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// BenchmarkServerLogin is what a login costs the server's processor. The device
// has a thread of its own, whose time is taken off that of the whole process: the
// server's share holds the garbage collector and the scheduler for both ends.
func BenchmarkServerLogin(b *testing.B) {
	w := newBench(b, Config{})
	w.devices.admit = true
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	both, device := busy(b, unix.RUSAGE_SELF), busy(b, unix.RUSAGE_THREAD)
	for b.Loop() {
		w.open().conn.Close()
		<-w.done
		<-w.devices.gone
	}
	both, device = busy(b, unix.RUSAGE_SELF)-both, busy(b, unix.RUSAGE_THREAD)-device
	b.ReportMetric(float64(b.N)/(both-device).Seconds(), "server-logins/core-s")
	b.ReportMetric(float64(b.N)/device.Seconds(), "device-logins/core-s")
}

// busy gives the processor time that this process or thread has taken.
func busy(b *testing.B, whose int) time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(whose, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
