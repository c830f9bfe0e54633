package device

// WarmUp makes the compressor outside of any synctest bubble.
func WarmUp() { compress(nil, dictionary[:100]) }

// Unlink has the session lose its link.
func (s *Session) Unlink() { s.setLink(nil, 0) }

// Path gives where the identity lies.
func (i *Identity) Path() string { return i.path }

// PublicKey gives the device's public key.
func (i *Identity) PublicKey() []byte { return i.key.Public() }
