// Package control lets the operator commands talk to a running appliance: HTTP
// and JSON over a Unix socket in the data folder.
//
// # Vocabulary
//
//   - Operator: what an operator can ask for. The appliance implements it in
//     process; [Client] implements it over the socket. A command is written
//     against the interface and does not know which one it has.
//   - Socket: the file control.sock in the data folder, readable and writable
//     by its owner alone. Whoever may open it may do everything an operator may.
//   - Row: one event of the log as an operator reads it, names joined.
//
// # Use
//
//	server, err := control.Listen(dir)       // the appliance: the socket is there from now on
//	err = server.Serve(ctx, operator)        // until ctx ends; the socket is then gone
//
//	client, err := control.Dial(ctx, dir)    // a command: ErrNotRunning if nobody answers
//	services, err := client.Services(ctx)
//
// # What it never does
//
// It decides nothing and keeps no state: it carries requests to an Operator and
// answers back. It carries no password, and the only secret that passes is the
// one-time string of [Operator.EnrolDevice], in an answer. It listens on no network
// address.
package control
