package sametime

import (
	"errors"

	"rollcall/adapters/sametime/seal"
	"rollcall/adapters/sametime/wire"
)

// keySize is how many bytes of a login id are the key of RC2 with 40 bits.
const keySize = 5

var errCipher = errors.New("the encryption that the other side chose was not offered, or its login has no key")

// offer is what a new channel for messages can be encrypted with, and the key pair
// that the answer needs.
func (c *Conversation) offer() (offer wire.EncryptOffer, pair seal.KeyPair) {
	var items []wire.EncryptItem
	if c.o.cipher == cipherAny || c.o.cipher == cipherRC2_40 {
		items = append(items, wire.EncryptItem{Cipher: wire.CipherRC2_40})
	}
	if c.o.cipher == cipherAny || c.o.cipher == cipherRC2DH {
		pair = seal.NewKeyPair()
		items = append(items, wire.EncryptItem{Cipher: wire.CipherRC2_128, Data: pair.Public()})
	}
	if len(items) == 0 {
		return wire.EncryptOffer{}, pair
	}
	return wire.EncryptOffer{Mode: wire.EncryptAny, Items: items}, pair
}

// agreed takes over what the other side has chosen of an offer.
func (c *Conversation) agreed(ch *channel, a *wire.ChannelAccept) error {
	item := a.Encryption.Item
	switch {
	case item == nil || a.Encryption.Mode == wire.EncryptNone:
		return nil
	case item.Cipher == wire.CipherRC2_40 && (c.o.cipher == cipherAny || c.o.cipher == cipherRC2_40):
		return c.keyByLogin(ch, a.Acceptor)
	case item.Cipher == wire.CipherRC2_128 && (c.o.cipher == cipherAny || c.o.cipher == cipherRC2DH):
		return ch.keyByExchange(item.Data)
	}
	return errCipher
}

// choose takes the strongest of what is offered.
func (c *Conversation) choose(ch *channel, create *wire.ChannelCreate) (wire.EncryptAcceptance, error) {
	var weak, strong *wire.EncryptItem
	for i, item := range create.Encryption.Items {
		switch item.Cipher {
		case wire.CipherRC2_40:
			weak = &create.Encryption.Items[i]
		case wire.CipherRC2_128:
			strong = &create.Encryption.Items[i]
		}
	}
	offered := create.Encryption.Mode
	switch {
	case strong != nil && (c.o.cipher == cipherAny || c.o.cipher == cipherRC2DH) && offered != wire.EncryptRC2_40:
		ch.pair = seal.NewKeyPair()
		item := &wire.EncryptItem{Cipher: wire.CipherRC2_128, Data: ch.pair.Public()}
		return wire.EncryptAcceptance{Mode: wire.EncryptRC2_128, Item: item, Offered: offered}, ch.keyByExchange(strong.Data)
	case weak != nil && (c.o.cipher == cipherAny || c.o.cipher == cipherRC2_40):
		item := &wire.EncryptItem{Cipher: wire.CipherRC2_40}
		return wire.EncryptAcceptance{Mode: wire.EncryptRC2_40, Item: item, Offered: offered}, c.keyByLogin(ch, create.Creator)
	}
	return wire.EncryptAcceptance{}, nil
}

func (ch *channel) keyByExchange(peer []byte) error {
	key, err := ch.pair.Shared(peer)
	if err != nil {
		return err
	}
	return ch.keys(key, key)
}

// keyByLogin takes the keys out of both login ids.
func (c *Conversation) keyByLogin(ch *channel, peer *wire.LoginInfo) error {
	if peer == nil || len(peer.LoginID) < keySize || len(c.self.LoginID) < keySize {
		return errCipher
	}
	return ch.keys([]byte(c.self.LoginID[:keySize]), []byte(peer.LoginID[:keySize]))
}

func (ch *channel) keys(ours, theirs []byte) (err error) {
	if ch.encrypter, err = seal.NewEncrypter(ours); err != nil {
		return err
	}
	ch.decrypter, err = seal.NewDecrypter(theirs)
	return err
}
