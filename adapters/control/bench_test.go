package control_test

import (
	"context"
	"iter"
	"testing"

	"rollcall/adapters/control"
)

// BenchmarkAudit streams rows in process and over the socket.
func BenchmarkAudit(b *testing.B) {
	op := full()
	row := control.AuditRow{Position: 7, Time: now, Type: "login-admitted", Session: 5, Service: "im", Person: "Ann", Account: "ann", Device: 3, Fields: []byte(`{"seats":2,"limit":2}`)}
	op.rows = func(context.Context) iter.Seq2[control.AuditRow, error] {
		return func(yield func(control.AuditRow, error) bool) {
			for yield(row, nil) {
			}
		}
	}
	dir := b.TempDir()
	server, err := control.Listen(dir)
	if err != nil {
		b.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- server.Serve(ctx, op) }()
	defer func() { stop(); <-done }()
	client, err := control.Dial(ctx, dir)
	if err != nil {
		b.Fatal(err)
	}
	for name, asked := range map[string]control.Operator{"in process": op, "over the socket": client} {
		b.Run(name, func(b *testing.B) {
			n := 0
			for _, err := range asked.Audit(ctx, control.AuditFilter{}) {
				if err != nil {
					b.Fatal(err)
				}
				if n++; n >= b.N {
					break
				}
			}
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}
