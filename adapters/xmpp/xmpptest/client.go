package xmpptest

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"
)

// Client is the smallest XMPP client that can play a colleague: it logs in over
// direct TLS, says what it is told to, and hears what comes. It shares no code
// with the connector.
type Client struct {
	conn  *tls.Conn
	heard strings.Builder
}

// Dial logs in as account, an address, and is available.
func Dial(t testing.TB, p *Prosody, account, password string) *Client {
	t.Helper()
	pem, err := os.ReadFile(p.CAFile)
	must(t, err)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	conn, err := tls.Dial("tcp", p.DirectTLS, &tls.Config{ServerName: Domain, RootCAs: roots})
	must(t, err)
	c := &Client{conn: conn}
	t.Cleanup(c.Close)
	name, _, _ := strings.Cut(account, "@")
	secret := base64.StdEncoding.EncodeToString([]byte("\x00" + name + "\x00" + password))
	const stream = "<stream:stream to='" + Domain + "' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"
	for _, step := range [][2]string{
		{stream, "</stream:features>"},
		{"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>" + secret + "</auth>", "<success"},
		{stream, "</stream:features>"},
		{"<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>", "</iq>"},
	} {
		c.write(t, step[0])
		c.Hear(t, step[1])
	}
	c.Say(t, "<presence/>")
	return c
}

// Say sends stanzas, in XML, and waits until the server has worked them off.
func (c *Client) Say(t testing.TB, stanzas string) {
	t.Helper()
	id := fmt.Sprintf("said-%d", time.Now().UnixNano())
	c.write(t, stanzas+"<iq type='get' id='"+id+"' to='"+Domain+"'><ping xmlns='urn:xmpp:ping'/></iq>")
	c.Hear(t, id)
}

func (c *Client) write(t testing.TB, text string) {
	t.Helper()
	_, err := io.WriteString(c.conn, text)
	must(t, err)
}

// Hear waits until the server has sent text, and gives everything up to the end
// of what came with it. What was heard once is not heard again.
func (c *Client) Hear(t testing.TB, text string) string {
	t.Helper()
	must(t, c.conn.SetReadDeadline(time.Now().Add(patience)))
	buffer := make([]byte, 4096)
	for !strings.Contains(c.heard.String(), text) {
		n, err := c.conn.Read(buffer)
		c.heard.Write(buffer[:n])
		if err != nil {
			t.Fatalf("waited for %q from the server: %v; heard %s", text, err, c.heard.String())
		}
	}
	heard := c.heard.String()
	c.heard.Reset()
	return heard
}

// Close breaks the connection off; the server tells the contacts.
func (c *Client) Close() { c.conn.Close() }
