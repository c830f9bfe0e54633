// Package rc2 is the RC2 block cipher of RFC 2268.
//
// It is legacy, and here for one purpose: Sametime servers and clients of the
// original form speak nothing else. Never use it to keep a secret of our own: RC2
// is from 1987, its blocks are 64 bits, and Sametime uses it with keys of 40 bits
// or from a 512-bit key exchange.
//
// The cipher is a [crypto/cipher.Block]; modes come from crypto/cipher.
package rc2
