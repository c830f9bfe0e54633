// Package upstreamtls decides which certificates of a messaging server a
// connector takes, from the options ca-file and pin-sha256 of its service, and
// says what to do about one that is not taken.
//
// A pin is the SHA-256 of a certificate's public key (SubjectPublicKeyInfo) in
// base64, as in RFC 7469 section 2.4. Roots are the authorities in a ca-file.
//
// It opens no connection, and it never falls back to taking what it refused.
package upstreamtls
