package device

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
)

// identityState is the identity file: JSON, so that a person can see what is in
// it. It holds secrets and never leaves the disk.
type identityState struct {
	Format   int                      `json:"format"`
	Key      []byte                   `json:"key"`    // the device's private key
	Server   []byte                   `json:"server"` // the server's public key
	Address  string                   `json:"address"`
	Token    []byte                   `json:"token"`
	Device   uint64                   `json:"device"`
	Journal  uint64                   `json:"journal"`  // which notes follow it, see identityJournal
	Sessions map[string]*savedSession `json:"sessions"` // by service
	Left     []leftSends              `json:"left,omitempty"`
}

type savedSession struct {
	Session  uint64      `json:"session"`
	Account  string      `json:"account"`
	Secret   []byte      `json:"secret"`
	Received uint64      `json:"received"` // the highest number of a safe item
	Outbox   []savedSend `json:"outbox,omitempty"`
}

type savedSend struct {
	ID   string `json:"id"`
	To   string `json:"to"`
	Body string `json:"body"`
}

// leftSends are the unanswered messages of a session that is over. They wait for the
// next login to the account.
type leftSends struct {
	Service string      `json:"service"`
	Account string      `json:"account"`
	Outbox  []savedSend `json:"outbox"`
}

// identityFormat is what is written. Files of format 1, which had no journal, and of
// format 2, in which a session that was over left no messages, are read too.
const identityFormat = 3

// maxIdentityFile bounds what is read of an identity file.
const maxIdentityFile = 128 << 20

// IdentityError tells what is wrong with an identity file.
type IdentityError struct{ Fault string }

func (e *IdentityError) Error() string {
	return "identity file: " + e.Fault + "; restore it, or enrol the device again"
}

// begin puts a session in place of the one on a service. It goes on with what
// earlier ones with that account have left, which is older than its own.
func (s *identityState) begin(service string, next *savedSession) {
	s.end(service)
	s.Left = slices.DeleteFunc(s.Left, func(l leftSends) bool {
		mine := l.Service == service && l.Account == next.Account
		if mine {
			next.Outbox = append(l.Outbox, next.Outbox...)
		}
		return mine
	})
	s.Sessions[service] = next
}

// end removes the session on a service, which leaves what is not answered.
func (s *identityState) end(service string) {
	over := s.Sessions[service]
	delete(s.Sessions, service)
	if over != nil && len(over.Outbox) > 0 {
		s.Left = append(s.Left, leftSends{service, over.Account, over.Outbox})
	}
}

// find gives where in the outbox a message is, or -1.
func (s *savedSession) find(id string) int {
	return slices.IndexFunc(s.Outbox, func(m savedSend) bool { return m.ID == id })
}

func (s *identityState) encode() []byte {
	b, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		panic("device link: identity: " + err.Error()) // strings, numbers and bytes only
	}
	return append(b, '\n')
}

func parseIdentity(b []byte) (*identityState, error) {
	if len(b) > maxIdentityFile {
		return nil, &IdentityError{"too large"}
	}
	var s identityState
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&s); err != nil {
		if s.Format > identityFormat {
			return nil, &IdentityError{fmt.Sprintf("it has format %d, this program knows format %d", s.Format, identityFormat)}
		}
		return nil, &IdentityError{"it is cut or damaged"}
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, &IdentityError{"something follows it"}
	}
	return &s, s.check()
}

func (s *identityState) check() error {
	switch {
	case s.Format < 1 || s.Format > identityFormat:
		return &IdentityError{fmt.Sprintf("it has format %d, this program knows format %d", s.Format, identityFormat)}
	case len(s.Key) != keySize || len(s.Server) != keySize:
		return &IdentityError{fmt.Sprintf("a key does not have %d bytes", keySize)}
	case s.Address == "":
		return &IdentityError{"it names no server"}
	case len(s.Token) != len(Token{}):
		return &IdentityError{"its routing token does not have 8 bytes"}
	}
	if s.Sessions == nil {
		s.Sessions = make(map[string]*savedSession)
	}
	for service, saved := range s.Sessions {
		if saved == nil || saved.Session == 0 {
			return &IdentityError{fmt.Sprintf("its session on %q has no number", service)}
		}
	}
	return nil
}
