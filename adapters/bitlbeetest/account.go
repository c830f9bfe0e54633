package bitlbeetest

import (
	"encoding/pem"
	"path/filepath"
)

// Account is one of the client's accounts.
type Account struct {
	b   *Bitlbee
	tag string
}

// AddAccount adds an account of one of libpurple's protocols, such as "novell" or
// "meanwhile". It is not logged in yet.
func (b *Bitlbee) AddAccount(protocol, user, password string) *Account {
	b.t.Helper()
	b.Command("account add " + protocol + " " + user + " " + password)
	found := b.Wait(`Account successfully added with tag (\S+)`)
	return &Account{b, found[1]}
}

// Set changes one of the account's settings, such as "server".
func (a *Account) Set(name, value string) {
	a.b.t.Helper()
	a.b.Command("account " + a.tag + " set " + name + " " + value)
	a.b.Wait(name + " = `")
}

// On begins to log in. What comes of it is lines, such as "Logging in: Logged in"
// or "Login error: …".
func (a *Account) On() {
	a.b.t.Helper()
	a.b.Command("account " + a.tag + " on")
}

// Off logs out.
func (a *Account) Off() {
	a.b.t.Helper()
	a.b.Command("account " + a.tag + " off")
}

// Trust makes the client take this certificate, in DER, from a server of that
// name or address.
func (b *Bitlbee) Trust(host string, certificate []byte) {
	b.t.Helper()
	block := &pem.Block{Type: "CERTIFICATE", Bytes: certificate}
	b.write(filepath.Join(b.folder, "purple", Nick, "certificates", "x509", "tls_peers", host), pem.EncodeToMemory(block))
}
