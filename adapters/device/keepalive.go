package device

import (
	"net"
	"time"
)

// keepAliveConfig has TCP find out within two minutes that the other end is gone
// when nothing is sent.
var keepAliveConfig = net.KeepAliveConfig{Enable: true, Idle: time.Minute, Interval: 15 * time.Second, Count: 4}

// unackedTimeout is after what time TCP gives a connection up on which bytes were
// sent and not acknowledged; keep-alive does not see to that.
const unackedTimeout = 2 * time.Minute

// keepAlive has a server find out that a device is gone. A failure only means
// that it is noticed later, by the broker.
func keepAlive(conn net.Conn) {
	if tcp, ok := conn.(interface {
		SetKeepAliveConfig(net.KeepAliveConfig) error
	}); ok {
		_ = tcp.SetKeepAliveConfig(keepAliveConfig)
	}
	userTimeout(conn)
}
