// Package dispatcher takes device connections to the collaboration service they
// belong to, and is both ends of the connection between the two (port 3200).
//
// # The two hops it joins
//
// From a router comes one TCP connection for each device, with a PROXY protocol
// v2 header that says where the device is. The device's own first 16 bytes are
// the preamble, in clear:
//
//	0   "RCL1"
//	4   version, flags, 2 reserved bytes: passed on, not looked at
//	8   routing token, 8 bytes: which collaboration service
//
// To every collaboration service the dispatcher keeps one [Link]: TCP, TLS 1.3
// with both keys pinned, one byte by which the service says that it has let the
// dispatcher in, then hashicorp/yamux. Each device is one stream, which begins
// with a header and goes on with the preamble and everything behind it:
//
//	0   version of the header, 1
//	1   reserved, 0
//	2   port of the device, big-endian
//	4   IPv6 address of the device; an IPv4 address mapped into it
//
// When a device's connection ends, its stream is closed at once, which is how
// the service learns of lost coverage. When a link ends, the connections of all
// its devices are closed, so that they try again.
//
// # Vocabulary
//
//   - Identity: the Ed25519 key of one end of a link. Pin: the SHA-256 of its
//     public key (SubjectPublicKeyInfo), printed as sha256:BASE64.
//   - Token: the routing token. Service: what takes the connections of a token:
//     a [Link], or [Local] in the process that is the service itself.
//   - Acceptor: the service's end of links ([Accept]).
//
// # What it never does
//
// It sees no plaintext: what a device sends is encrypted for the collaboration
// service before it comes here. It trusts no certificate authority, and believes
// a PROXY header from nobody but the routers it was told of.
package dispatcher
