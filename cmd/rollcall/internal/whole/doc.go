// Package whole measures the system as a whole: the broker over the log on disk,
// with the built-in service or an XMPP server, with and without the device link.
// Devices and the XMPP server are in processes of their own where it matters. It
// holds benchmarks, with a small form of the login storm as a test; what they gave
// is told in docs/performance.md.
package whole
