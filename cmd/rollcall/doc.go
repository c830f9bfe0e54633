// Command rollcall is the session broker: the appliance, the tools to run it
// with, and a client that speaks for one device.
//
// One file holds one command. They share the little that stands in root.go (how
// a command line becomes a command and an error an exit code), output.go (what a
// table and a line of JSON look like), and password.go (where passwords may come
// from). run.go wires the appliance together in one straight function, which
// serve, demo and the end-to-end tests call; appliance.go is what operators can
// ask of it.
//
// Operator commands are written against [control.Operator] and do not know
// whether they talk to a running appliance over its socket or to its files.
//
// The command decides nothing about sessions: rules are in package domain.
package main
