// Package settings reads what the settings of messaging services have in common:
// named options, each with a parser of its own, and an address of the form
// host:port.
//
// It never decides what an option means; that is the connector's.
package settings
