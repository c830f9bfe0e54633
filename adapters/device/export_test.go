package device

// WarmUp makes the compressor outside of any synctest bubble.
func WarmUp() { compress(nil, dictionary[:100]) }

// Unlink has the session lose its link.
func (s *Session) Unlink() { s.setLink(nil, 0) }

// Path gives where the identity lies.
func (i *Identity) Path() string { return i.path }

// OnDisk gives what the disk knows of a session: up to where items are safe, and
// what waits for an answer.
func (i *Identity) OnDisk(service string) (received uint64, outbox []string) {
	found, err := loadIdentity(i.path)
	if err != nil {
		return 0, []string{err.Error()}
	}
	s, _ := found.session(service)
	for _, m := range s.Outbox {
		outbox = append(outbox, m.ID)
	}
	return s.Received, outbox
}

// PublicKey gives the device's public key.
func (i *Identity) PublicKey() []byte { return i.key.Public() }
