package stserver

import (
	"net"
	"time"

	"rollcall/adapters/sametime/wire"
)

// client is one connection. All of it but serve and write is under the server's
// lock.
type client struct {
	s      *Server
	conn   net.Conn
	number uint64

	kind     uint16 // client type, from the handshake
	address  uint32
	magic    uint32
	who      *person // nil until logged in
	info     wire.LoginInfo
	waiting  *person // redirected, and may continue
	channels map[uint32]*channel
	opened   uint32 // channels that we opened

	out     []byte // waits to be written
	writing bool
	ending  bool // the connection ends once everything is written
	counter byte
}

// maxOut is how much may wait for a client that does not read.
const maxOut = 8 << 20

// partingTime is how long a client that was told to go may take.
const partingTime = time.Second

// handlers have what is done with each message: before the login, and after it.
var handlers map[wire.Type]handler

type handler struct {
	loggedIn bool
	do       func(*client, wire.Message)
}

func init() { // the handlers lead back here
	handlers = map[wire.Type]handler{
		wire.TypeHandshake:      {false, (*client).handshake},
		wire.TypeLogin:          {false, (*client).login},
		wire.TypeLoginContinue:  {false, (*client).proceed},
		wire.TypeSetUserStatus:  {true, (*client).setStatus},
		wire.TypeSetPrivacyList: {true, (*client).setPrivacy},
		wire.TypeSenseService:   {true, (*client).sense},
		wire.TypeAnnounce:       {true, (*client).announce},
		wire.TypeChannelCreate:  {true, (*client).create},
		wire.TypeChannelAccept:  {true, (*client).accept},
		wire.TypeChannelSend:    {true, (*client).relay},
		wire.TypeChannelDestroy: {false, (*client).destroy},
	}
}

// serve reads the connection until it ends.
func (c *client) serve() {
	frames := wire.NewFrameReader(c.conn)
	for {
		frame, err := frames.Next()
		if err != nil {
			c.s.config.Logger.Debug("connection ends", "client", c.number, "error", err)
			break
		}
		c.observe(wire.FromClient, frame)
		m, err := wire.Decode(frame)
		if err != nil {
			c.s.config.Logger.Warn("a client says what is no message", "client", c.number, "error", err)
			break
		}
		c.s.mu.Lock()
		c.handle(m)
		c.s.mu.Unlock()
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	c.leave()
	c.conn.Close()
	delete(c.s.clients, c)
}

func (c *client) observe(side wire.Side, frame []byte) {
	if c.s.config.Observe != nil {
		c.s.config.Observe(c.number, side, frame)
	}
}

func (c *client) handle(m wire.Message) {
	h, known := handlers[m.Type()]
	if !known || c.ending || h.loggedIn != (c.who != nil) && m.Type() != wire.TypeChannelDestroy {
		c.s.config.Logger.Debug("a message is ignored", "client", c.number, "type", m.Type())
		return
	}
	h.do(c, m)
}

// send queues a message.
func (c *client) send(m wire.Message) {
	if c.ending {
		return
	}
	if c.s.faults.Counters {
		c.counter = max(0x80, c.counter+1)
		c.enqueue([]byte{wire.KeepAlive, c.counter | 0x80, 0, 0, 0, 8, 0x07, 0x77, 0, 0, 0, 0, 0, 0, c.counter | 0x80})
	}
	b, err := wire.Append(nil, m)
	if err != nil {
		c.s.config.Logger.Error("a message cannot be written", "client", c.number, "error", err)
		return
	}
	c.observe(wire.FromServer, b[4:])
	c.enqueue(b)
}

func (c *client) enqueue(b []byte) {
	if len(c.out)+len(b) > maxOut {
		c.conn.Close() // it does not read
		return
	}
	c.out = append(c.out, b...)
	if !c.writing {
		c.writing = true
		c.s.running.Go(c.write)
	}
}

// write writes what waits, until nothing does.
func (c *client) write() {
	for {
		c.s.mu.Lock()
		b, slow := c.out, c.s.faults.SlowWrites
		c.out = nil
		if len(b) == 0 {
			c.writing = false
			c.s.mu.Unlock()
			return
		}
		c.s.mu.Unlock()
		step := len(b)
		if slow {
			step = 1
		}
		for ; len(b) > 0; b = b[step:] {
			if _, err := c.conn.Write(b[:step]); err != nil {
				c.conn.Close() // the reader notices
				break
			}
		}
	}
}

// end tells the client to go, and closes the connection when it has gone, or has
// had its time.
func (c *client) end(reason wire.Reason) {
	c.send(&wire.ChannelDestroy{Reason: reason})
	c.leave()
	c.ending = true
	_ = c.conn.SetReadDeadline(time.Now().Add(partingTime)) // the reader ends either way
}

// sendService queues a service message on a channel.
func (c *client) sendService(channel uint32, m wire.ServiceMessage) {
	data, err := wire.Marshal(m)
	if err != nil {
		c.s.config.Logger.Error("a service message cannot be written", "client", c.number, "error", err)
		return
	}
	c.send(&wire.ChannelSend{Channel: channel, Kind: m.Kind(), Data: data})
}
