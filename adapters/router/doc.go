// Package router is the front door: it accepts device connections, keeps the
// crowd in bounds, and hands each connection on to a handler.
//
// In one process the handler is the next part itself and gets the accepted
// connection as it is; nothing is copied. Where the parts run on machines of
// their own the handler is [Relay], which dials the dispatcher, tells it where
// the device comes from with a PROXY protocol v2 header, and relays bytes both
// ways. HAProxy can take its place (mode tcp, send-proxy-v2).
//
// # Vocabulary
//
//   - Address: what is counted and rate limited as one: an IPv4 address, or the
//     /64 of an IPv6 address. A /48 may do eight times as much, and no more.
//   - Silent: a connection whose first byte has not come yet. It has a deadline,
//     and it is the first to go when the house is full.
//   - Exempt: an address that no limit per address holds for, because many
//     devices stand behind it (a carrier's gateway, an outer proxy).
//
// # What it never does
//
// It holds no keys and no state that outlives a connection, and it never looks
// at the bytes: what a device sends is encrypted for the collaboration service.
package router
