// Package seal is the legacy encryption of Sametime: a Diffie-Hellman exchange over
// 512 bits, and RC2 in CBC mode with a fixed first vector.
//
// # Vocabulary
//
//   - Key pair: the private and public number of one side of an exchange.
//   - Shared key: the 16 bytes that both sides of an exchange come to.
//   - Cipher: one direction of a channel. It chains: the last block of a text is
//     the vector of the next.
//
// # What it never does
//
// It protects nothing of value. 512 bits of Diffie-Hellman without authentication,
// and RC2, stop nobody with means; it is here because servers ask for it. What has
// to be safe runs inside TLS.
package seal
