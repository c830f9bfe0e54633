package whole_test

import (
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"strconv"
	"testing"

	"rollcall/adapters/xmpp/xmpptest"
	"rollcall/domain"
)

// The certificate of the XMPP server; unset: streams in the clear.
const (
	xmppCertificate = "ROLLCALL_BENCH_XMPP_CERTIFICATE"
	xmppKey         = "ROLLCALL_BENCH_XMPP_KEY"
)

// playXMPP is an XMPP server with the benchmark's people, until its input ends.
// It says where it listens.
func playXMPP() {
	people, err := strconv.Atoi(os.Getenv(xmppUsers))
	if err != nil {
		log.Fatal(err)
	}
	var config xmpptest.ServerConfig
	for i := range people {
		config.Users = append(config.Users, xmpptest.User{Name: name(i), Password: password})
	}
	if file := os.Getenv(xmppCertificate); file != "" {
		pair, err := tls.LoadX509KeyPair(file, os.Getenv(xmppKey))
		if err != nil {
			log.Fatal(err)
		}
		config.TLS = &tls.Config{Certificates: []tls.Certificate{pair}}
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go func() {
		fmt.Println(listener.Addr())
		_, _ = io.Copy(io.Discard, os.Stdin)
		listener.Close()
	}()
	if err := xmpptest.NewServer(config).Serve(listener); err != nil {
		log.Fatal(err)
	}
}

// bearXMPP starts an XMPP server with so many people in a process of its own,
// and gives the settings of a service that leads there.
func bearXMPP(tb testing.TB, people int, encrypted bool) domain.Settings {
	environment, caFile := []string{fmt.Sprint(xmppUsers, "=", people)}, ""
	if encrypted {
		c := xmpptest.NewCertificate(tb, xmpptest.Domain)
		environment = append(environment, xmppCertificate+"="+c.File, xmppKey+"="+c.KeyFile)
		caFile = c.CAFile
	}
	return xmpptest.Settings(startChild(tb, environment...).line(), caFile)
}
