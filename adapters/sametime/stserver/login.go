package stserver

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"net"
	"slices"
	"strings"

	"rollcall/adapters/sametime/seal"
	"rollcall/adapters/sametime/wire"
)

func (c *client) handshake(m wire.Message) {
	c.kind = m.(*wire.Handshake).ClientType
	if !c.s.faults.SilentHandshake {
		c.greet()
	}
}

// greet sends a HANDSHAKE_ACK with a new magic number.
func (c *client) greet() {
	var random [4]byte
	_, _ = rand.Read(random[:]) // never fails
	c.magic = binary.BigEndian.Uint32(random[:])
	if tcp, is := c.conn.RemoteAddr().(*net.TCPAddr); is {
		if ip := tcp.IP.To4(); ip != nil {
			c.address = binary.BigEndian.Uint32(ip)
		}
	}
	ack := &wire.HandshakeAck{Major: wire.Major, Minor: wire.Minor, Address: c.address, Magic: c.magic, PublicKey: c.s.keys.Public()}
	switch f := c.s.faults; {
	case f.NoKey:
		ack.PublicKey = nil
	case f.ShortKey:
		ack.PublicKey = ack.PublicKey[1:]
	case f.OldMinor:
		ack.Minor = 0x0018
	}
	c.send(ack)
}

func (c *client) login(m wire.Message) {
	login, s := m.(*wire.Login), c.s
	p := s.accounts[login.Name]
	switch {
	case s.faults.SilentLogin:
	case s.faults.RefuseLogin != wire.Success:
		c.end(s.faults.RefuseLogin)
	case p == nil || !c.proves(login, p.Password):
		c.end(wire.IncorrectLogin)
	case s.faults.RedirectTo != "":
		c.waiting = p
		server, _ := wire.Marshal(&wire.StringValue{Text: "the-other-server"}) // short
		c.send(&wire.LoginRedirect{Host: s.faults.RedirectTo, Server: server})
	default:
		c.admit(p)
	}
}

// proceed answers LOGIN_CONTINUE.
func (c *client) proceed(wire.Message) {
	if c.waiting != nil {
		c.greet()
		c.admit(c.waiting)
	}
}

// proofs have what checks the password for each way to log in.
var proofs = map[wire.AuthType]func(*client, []byte) (password string, ok bool){
	wire.AuthPlain: func(_ *client, auth []byte) (string, bool) {
		var p wire.PlainAuth
		err := wire.Unmarshal(auth, &p)
		return p.Password, err == nil
	},
	wire.AuthRC2_40: func(_ *client, auth []byte) (string, bool) {
		var p wire.RC2Auth
		if wire.Unmarshal(auth, &p) != nil {
			return "", false
		}
		password, err := open(p.Key, p.Sealed)
		return string(password), err == nil
	},
	wire.AuthRC2DH: func(c *client, auth []byte) (string, bool) {
		var p wire.DHAuth
		var inside wire.SealedPassword
		if wire.Unmarshal(auth, &p) != nil {
			return "", false
		}
		key, err := c.s.keys.Shared(p.PublicKey)
		if err != nil {
			return "", false
		}
		text, err := open(key, p.Sealed)
		if err != nil || wire.Unmarshal(text, &inside) != nil {
			return "", false
		}
		return inside.Password, inside.Magic == c.magic
	},
}

func open(key, sealed []byte) ([]byte, error) {
	d, err := seal.NewDecrypter(key)
	if err != nil {
		return nil, err
	}
	return d.Decrypt(sealed)
}

func (c *client) proves(login *wire.Login, password string) bool {
	proof := proofs[login.AuthType]
	if proof == nil {
		return false
	}
	got, ok := proof(c, login.Auth)
	return ok && got == password
}

// admit logs a person in, if there is room.
func (c *client) admit(p *person) {
	s := c.s
	if s.config.SingleLogin {
		for _, older := range slices.Clone(p.clients) {
			older.end(wire.MultiLogin)
		}
	}
	if s.config.MaxSessions > 0 && s.sessions >= s.config.MaxSessions {
		c.end(wire.ServerFull)
		return
	}
	c.who, c.waiting = p, nil
	c.info = wire.LoginInfo{
		LoginID: loginID(), ClientType: c.kind, UserID: p.UserID, Name: p.Display,
		Full: true, Address: c.address, Server: s.config.ServerID,
	}
	p.clients = append(p.clients, c)
	s.sessions++
	p.status = wire.UserStatus{Status: wire.StatusActive}
	c.send(&wire.LoginAck{Login: c.info, Privacy: p.privacy, Status: p.status})
	s.config.Logger.Info("logged in", "client", c.number, "account", p.Name, "sessions", s.sessions)
	p.changed()
}

// loginID makes a name for a login whose first five bytes, which are a key, differ
// from one to the next.
func loginID() string {
	random := make([]byte, 8)
	_, _ = rand.Read(random) // never fails
	return strings.ToUpper(fmt.Sprintf("%x", random))
}

// leave undoes the login.
func (c *client) leave() {
	p := c.who
	if p == nil {
		return
	}
	c.who = nil
	c.s.sessions--
	p.clients = slices.DeleteFunc(p.clients, func(other *client) bool { return other == c })
	for id, ch := range c.channels {
		delete(c.channels, id)
		ch.gone(wire.ConnectionBroken, nil)
	}
	for _, watched := range c.s.people {
		delete(watched.watchers, c)
	}
	c.s.config.Logger.Info("logged out", "client", c.number, "account", p.Name, "sessions", c.s.sessions)
	p.changed()
}
