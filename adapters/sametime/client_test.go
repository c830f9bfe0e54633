package sametime_test

import (
	"bytes"
	"net"
	"testing"
	"time"

	"rollcall/adapters/sametime/seal"
	"rollcall/adapters/sametime/wire"
)

// client is a Sametime client of a few lines, to do what the connector does not.
// It knows nothing of the connector's code but the form on the wire.
type client struct {
	t      testing.TB
	conn   net.Conn
	frames *wire.FrameReader
	self   wire.LoginInfo
	opened uint32
}

// dialClient logs in, in the clear.
func dialClient(t testing.TB, address, name, password string) *client {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	c := &client{t: t, conn: conn, frames: wire.NewFrameReader(conn)}
	c.say(&wire.Handshake{Major: wire.Major, Minor: wire.Minor, ClientType: 0x1002})
	await[*wire.HandshakeAck](c)
	auth, err := wire.Marshal(&wire.PlainAuth{Password: password})
	if err != nil {
		t.Fatal(err)
	}
	c.say(&wire.Login{ClientType: 0x1002, Name: name, Auth: auth, AuthType: wire.AuthPlain})
	c.self = await[*wire.LoginAck](c).Login
	return c
}

func (c *client) say(messages ...wire.Message) {
	c.t.Helper()
	for _, m := range messages {
		b, err := wire.Append(nil, m)
		if err != nil {
			c.t.Fatal(err)
		}
		if _, err := c.conn.Write(b); err != nil {
			c.t.Fatal(err)
		}
	}
}

// await waits for a message of one kind; others are skipped.
func await[M wire.Message](c *client) M {
	c.t.Helper()
	for {
		frame, err := c.frames.Next()
		if err != nil {
			c.t.Fatalf("waiting for %T: %v", *new(M), err)
		}
		m, err := wire.Decode(frame)
		if err != nil {
			c.t.Fatal(err)
		}
		if m, is := m.(M); is {
			return m
		}
	}
}

// talk is a channel for messages as this client has it.
type talk struct {
	c    *client
	id   uint32
	out  *seal.Cipher // nil: in the clear
	in   *seal.Cipher
	peer wire.LoginInfo
}

// call opens a channel to somebody, with what it takes to encrypt it.
func (c *client) call(to string, offer wire.EncryptOffer) (*wire.ChannelAccept, *talk) {
	c.t.Helper()
	c.opened++
	id := c.opened
	data, err := wire.Marshal(&wire.IMOffer{Features: wire.IMPlain})
	if err != nil {
		c.t.Fatal(err)
	}
	c.say(&wire.ChannelCreate{Channel: id, Target: wire.IDBlock{ID: to}, Service: wire.ServiceIM,
		Protocol: wire.Protocols[wire.ServiceIM], Data: data, Encryption: offer})
	a := await[*wire.ChannelAccept](c)
	return a, &talk{c: c, id: id, peer: *a.Acceptor}
}

// answer accepts the next channel.
func (c *client) answer(with wire.EncryptAcceptance) (*wire.ChannelCreate, *talk) {
	c.t.Helper()
	create := await[*wire.ChannelCreate](c)
	c.say(&wire.ChannelAccept{Channel: create.Channel, Service: create.Service, Protocol: create.Protocol, Encryption: with})
	return create, &talk{c: c, id: create.Channel, peer: *create.Creator}
}

// encrypt encrypts the talk from now on.
func (k *talk) encrypt(ours, theirs []byte) {
	k.c.t.Helper()
	var err error
	if k.out, err = seal.NewEncrypter(ours); err != nil {
		k.c.t.Fatal(err)
	}
	if k.in, err = seal.NewDecrypter(theirs); err != nil {
		k.c.t.Fatal(err)
	}
}

// byLogin takes the keys of RC2 with 40 bits out of the login ids.
func (k *talk) byLogin() { k.encrypt([]byte(k.c.self.LoginID[:5]), []byte(k.peer.LoginID[:5])) }

func (k *talk) say(m *wire.InstantMessage) {
	k.c.t.Helper()
	data, err := wire.Marshal(m)
	if err != nil {
		k.c.t.Fatal(err)
	}
	if k.out != nil {
		data = k.out.Encrypt(data)
	}
	k.c.say(&wire.ChannelSend{Channel: k.id, Encrypted: k.out != nil, Kind: m.Kind(), Data: data})
}

// hear waits for the next text.
func (k *talk) hear() string {
	k.c.t.Helper()
	said := await[*wire.ChannelSend](k.c)
	data := bytes.Clone(said.Data)
	if said.Encrypted != (k.in != nil) {
		k.c.t.Fatalf("the message is encrypted: %t, want %t", said.Encrypted, k.in != nil)
	}
	if said.Encrypted {
		var err error
		if data, err = k.in.Decrypt(data); err != nil {
			k.c.t.Fatal(err)
		}
	}
	var m wire.InstantMessage
	if err := wire.Unmarshal(data, &m); err != nil {
		k.c.t.Fatal(err)
	}
	return m.Text
}

func (c *client) logout() {
	c.t.Helper()
	c.say(&wire.ChannelDestroy{})
	c.conn.Close()
}
