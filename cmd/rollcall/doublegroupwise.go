package main

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"net"
	"os"

	"github.com/spf13/cobra"

	"rollcall/adapters/groupwise/gwserver"
)

// doubleGroupWise is what `double groupwise` prints when it is ready.
type doubleGroupWise struct {
	Address string `json:"address"`
	Pin     string `json:"pin_sha256"`
}

func (a *app) doubleGroupWiseCommand() *cobra.Command {
	var d doubleFlags
	var certificateFile string
	var maxSessions int
	var trace bool
	cmd := &cobra.Command{
		Use:   "groupwise",
		Short: "Stand in for a GroupWise Messenger server",
		Long: `Stands in for a GroupWise Messenger server over TLS, with a new certificate that
signs itself. Rollcall takes it by the pin that is printed; other clients by the
certificate itself, see --save-certificate.`,
		Example: `  rollcall double groupwise --account alice:a --account bob:b
  rollcall double groupwise --listen :8300 --account alice:a --account bob:b --contact alice:bob --trace`,
		Args: arguments(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := d.check(); err != nil {
				return err
			}
			if maxSessions < 0 {
				return &usageError{fmt.Errorf("--max-sessions: %d is below zero", maxSessions)}
			}
			l, err := listen(d.listen, "--listen")
			if err != nil {
				return err
			}
			config, pin, err := d.groupWise(l.Addr(), certificateFile)
			if err != nil {
				l.Close()
				return err
			}
			config.MaxSessions = maxSessions
			if trace {
				config.Trace = func(n int, line string) { fmt.Fprintln(a.errOut, n, line) }
			}
			return d.serveDouble(cmd.Context(), gwserver.New(config), l, func() error {
				at := reachable(l.Addr().String())
				return a.report(doubleGroupWise{l.Addr().String(), pin},
					"a GroupWise Messenger double listens on %s; for Rollcall:\n  rollcall service set messenger --kind groupwise --address %s --option pin-sha256=%s", l.Addr(), at, pin)
			})
		},
	}
	d.register(cmd, "127.0.0.1:8300")
	cmd.Flags().StringVar(&certificateFile, "save-certificate", "", "a `FILE` for the certificate, in PEM")
	cmd.Flags().Var(numberFlag{&maxSessions}, "max-sessions", "how many sessions are taken; more are told that the server is busy; 0 takes any number")
	cmd.Flags().BoolVar(&trace, "trace", false, "show every message, without passwords, on standard error")
	return cmd
}

// groupWise gives the server's configuration and the pin of its certificate.
func (d *doubleFlags) groupWise(at net.Addr, certificateFile string) (gwserver.Config, string, error) {
	var config gwserver.Config
	host, _, _ := net.SplitHostPort(at.String())
	certificate, err := gwserver.NewCertificate("localhost", "127.0.0.1", "::1", host)
	if err != nil {
		return config, "", err
	}
	der := certificate.Certificate[0]
	if certificateFile != "" {
		text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
		if err := os.WriteFile(certificateFile, text, 0o644); err != nil {
			return config, "", &exitError{exitFailure, fmt.Errorf("save the certificate: %w", err)}
		}
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return config, "", fmt.Errorf("read the new certificate: %w", err)
	}
	config.Certificate = certificate
	for _, account := range d.accounts {
		u := gwserver.User{Name: account.left, Password: account.right}
		for _, contact := range d.contactsOf(account.left) {
			u.Contacts = append(u.Contacts, gwserver.Entry{Person: contact})
		}
		config.Users = append(config.Users, u)
	}
	sum := sha256.Sum256(leaf.RawSubjectPublicKeyInfo)
	return config, base64.StdEncoding.EncodeToString(sum[:]), nil
}
