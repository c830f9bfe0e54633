// Package connectortest is the suite that every [broker.Connector] passes: one
// description of what a connector owes the broker, run against each protocol
// with a server to try it on.
//
// A connector's test describes its server in a [Harness], lists what the protocol
// can do as [Claim] values, and calls [Run]. What is not claimed is not asked,
// except where silence would lose something: see each claim.
//
// # Use
//
//	func TestConnector(t *testing.T) {
//		connectortest.Run(t, connectortest.Harness{
//			Connector: connector,
//			Settings:  domain.Settings{Kind: domain.KindXMPP, Address: server.Addr()},
//			People:    people, // three or more
//			Claims:    connectortest.Network | connectortest.Roster | connectortest.Presence,
//		})
//	}
//
// # What it never does
//
// It sleeps for no fixed time: it waits for events, each wait bounded. It knows
// no protocol; what it does to a connection it does with a TCP relay in front
// of the server.
package connectortest
