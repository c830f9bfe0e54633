package device_test

import (
	"testing"

	"go.uber.org/goleak"

	"rollcall/adapters/device"
)

func TestMain(m *testing.M) {
	device.WarmUp() // the compressor outlives every synctest bubble
	if device.BeCrowd() || device.BeSender() {
		return
	}
	goleak.VerifyTestMain(m)
}
