package control_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"go.uber.org/goleak"

	"rollcall/adapters/control"
	"rollcall/domain"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// serve serves op in a new folder until the test ends, and gives a client and
// what stops the server.
func serve(t *testing.T, op control.Operator, kinds ...control.ErrorKind) (*control.Client, context.CancelFunc) {
	t.Helper()
	dir := t.TempDir()
	stop := serveIn(t, dir, op, kinds...)
	client, err := control.Dial(t.Context(), dir, kinds...)
	if err != nil {
		t.Fatal(err)
	}
	return client, stop
}

func serveIn(t *testing.T, dir string, op control.Operator, kinds ...control.ErrorKind) context.CancelFunc {
	t.Helper()
	server, err := control.Listen(dir, kinds...)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- server.Serve(ctx, op) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Errorf("Serve = %v, want no error when it is stopped", err)
		}
	})
	return stop
}

var (
	now  = time.Date(2026, 3, 1, 12, 0, 0, 5e6, time.UTC)
	name = uuid.MustParse("5b7f1c5e-0f4b-5b8e-9f5c-0a1b2c3d4e5f")
)

// full is an operator whose every answer has every field set.
func full() *fake {
	rows := []control.AuditRow{
		{Position: 7, UUID: name, Time: now, Type: "login-rejected", Session: 5, Service: "im", Person: "Ann <&>", Account: "ann", Device: 3, Label: "phone", Fields: json.RawMessage(`{"code":"server-busy","seats":2}`)},
		{Position: 8, Time: now, Type: "broker-stopped"},
	}
	return &fake{
		services: []control.Service{{
			ID: 1, UUID: name, Name: "im", Kind: domain.KindXMPP, Address: "im.example.org:5222", MaxSessions: new(uint32(2)),
			ProtocolTotal: new(uint32(9)), Total: new(uint32(9)), IdleTimeout: new(control.Duration(5 * time.Minute)),
			InactivityTimeout: new(control.Duration(time.Hour)), Evict: "fewest", Options: map[string]string{"tls": "direct"}, Seats: 1,
		}, {ID: 2, Name: "chat", Kind: domain.KindLocal, Evict: "all"}},
		devices:  []control.Device{{ID: 3, UUID: name, Person: "Ann", Label: "phone", Enrolled: now, Revoked: true, Accounts: []control.Account{{Service: "im", Account: "ann"}}}},
		sessions: []control.Session{{ID: 5, UUID: name, Service: "im", Account: "ann", Person: "Ann", Device: 3, DeviceLabel: "phone", Address: "192.0.2.1:5", State: control.StateOutOfCoverage, Since: now, Heard: now}},
		counts:   []control.Count{{Service: "im", Pending: 1, Covered: 2, OutOfCoverage: 3, Seats: 6, Limit: new(uint32(7))}},
		enrolled: control.Enrolled{Offer: 9, String: "rollcall:abc", Address: "h:1", Expires: now},
		erased:   control.Erased{Person: 3, Devices: 2, Records: 17},
		backup:   control.BackupDone{Path: "/backup", Bytes: 1 << 40, Last: 11},
		status:   control.Status{Version: "1", PID: 2, Started: now, Data: "/data", Listen: ":3101", Log: name, Position: 11, Seats: 6, Problem: "the disk is full"},
		rows: func(context.Context) iter.Seq2[control.AuditRow, error] {
			return func(yield func(control.AuditRow, error) bool) {
				for _, row := range rows {
					if !yield(row, nil) {
						return
					}
				}
			}
		},
		why: control.Why{
			Event: rows[0],
			Decisions: []control.WhyDecision{{
				Event: rows[0], First: 6, Last: 7, Outcome: "Ann was refused", Rule: "server-busy", Reason: "the house is full",
				Evidence: []string{"2 of 2 seats were taken"}, Next: "wait", Cause: &rows[1], MadeRoom: rows[1:],
				Settings:   &control.WhySettings{Service: control.Service{ID: 1, Name: "im", MaxSessions: new(uint32(2)), Evict: "all"}, Position: 1, Time: now},
				Seats:      &control.WhySeats{Taken: 1, Holders: []control.Holder{{Session: 4, UUID: name, Account: "bob", Person: "Bob", Device: 2, Label: "tablet", State: control.StateCovered, Heard: now}}},
				Difference: "the rules give no event",
			}},
			Session: &control.WhySession{ID: 5, UUID: name, State: control.StateRefused, Course: rows, Omitted: 3},
		},
		progress: []control.RebuildProgress{
			{Projection: "sessions", Events: 1, Total: 2, Elapsed: control.Duration(time.Second)},
			{Projection: "sessions", Events: 2, Total: 2, Elapsed: control.Duration(2 * time.Second), Done: true, Difference: "entry 1"},
		},
	}
}

// requests asks for everything that an operator can be asked for.
var requests = []struct {
	name string
	ask  func(context.Context, control.Operator) (any, error)
}{
	{"SetService", func(ctx context.Context, op control.Operator) (any, error) {
		return op.SetService(ctx, control.ServiceChange{
			Name: "im", Kind: new(domain.KindXMPP), Address: new("h:1"), MaxSessions: new(uint32(1)), ProtocolTotal: new(uint32(2)),
			IdleTimeout: new(control.Duration(time.Second)), InactivityTimeout: new(control.Duration(time.Minute)), Evict: new("all"),
			Options: map[string]string{"a": "b"}, Unset: []string{"tls"},
		})
	}},
	{"Services", func(ctx context.Context, op control.Operator) (any, error) { return op.Services(ctx) }},
	{"RemoveService", func(ctx context.Context, op control.Operator) (any, error) { return nil, op.RemoveService(ctx, "im") }},
	{"EnrolDevice", func(ctx context.Context, op control.Operator) (any, error) {
		return op.EnrolDevice(ctx, control.Enrolment{Person: "Ann", Accounts: []control.Account{{Service: "im", Account: "ann"}}, ValidFor: control.Duration(time.Minute), Address: "h:1"})
	}},
	{"Devices", func(ctx context.Context, op control.Operator) (any, error) { return op.Devices(ctx) }},
	{"RevokeDevice", func(ctx context.Context, op control.Operator) (any, error) { return nil, op.RevokeDevice(ctx, 3) }},
	{"BarPerson", func(ctx context.Context, op control.Operator) (any, error) { return nil, op.BarPerson(ctx, "Ann") }},
	{"ErasePerson", func(ctx context.Context, op control.Operator) (any, error) { return op.ErasePerson(ctx, "Ann") }},
	{"Sessions", func(ctx context.Context, op control.Operator) (any, error) { return op.Sessions(ctx) }},
	{"SessionsAt", func(ctx context.Context, op control.Operator) (any, error) { return op.SessionsAt(ctx, now) }},
	{"EndSession", func(ctx context.Context, op control.Operator) (any, error) { return nil, op.EndSession(ctx, 5) }},
	{"Count", func(ctx context.Context, op control.Operator) (any, error) { return op.Count(ctx) }},
	{"Audit", func(ctx context.Context, op control.Operator) (any, error) {
		return collect(op.Audit(ctx, control.AuditFilter{From: now, To: now, Person: "Ann", Service: "im", Session: 5, Types: []string{"login-rejected"}}))
	}},
	{"Why", func(ctx context.Context, op control.Operator) (any, error) {
		return op.Why(ctx, control.WhyQuery{Position: 7, Brief: true})
	}},
	{"Rebuild", func(ctx context.Context, op control.Operator) (any, error) {
		return collect(op.Rebuild(ctx, control.Rebuild{Names: []string{"sessions"}, CheckOnly: true}))
	}},
	{"Backup", func(ctx context.Context, op control.Operator) (any, error) { return op.Backup(ctx, "/backup") }},
	{"Status", func(ctx context.Context, op control.Operator) (any, error) { return op.Status(ctx) }},
}

func collect[A any](seq iter.Seq2[A, error]) (all []A, err error) {
	for a, err := range seq {
		if err != nil {
			return all, err
		}
		all = append(all, a)
	}
	return all, nil
}

// TestSameAnswersOverTheSocket asks the same of an operator and of a client of
// it.
func TestSameAnswersOverTheSocket(t *testing.T) {
	near, far := full(), full()
	client, _ := serve(t, far)
	for _, r := range requests {
		t.Run(r.name, func(t *testing.T) {
			want, err := r.ask(t.Context(), near)
			if err != nil {
				t.Fatal(err)
			}
			got, err := r.ask(t.Context(), client)
			if err != nil {
				t.Fatalf("over the socket: %v", err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("answer (-in process +over the socket):\n%s", diff)
			}
			if diff := cmp.Diff(near.asked, far.asked); diff != "" {
				t.Errorf("request (-in process +over the socket):\n%s", diff)
			}
		})
	}
}

// TestSameErrorsOverTheSocket has every request fail.
func TestSameErrorsOverTheSocket(t *testing.T) {
	op := full()
	op.err = fmt.Errorf("do it: %w", domain.ErrUnknownService)
	client, _ := serve(t, op)
	for _, r := range requests {
		_, err := r.ask(t.Context(), client)
		if !errors.Is(err, domain.ErrUnknownService) || err.Error() != op.err.Error() {
			t.Errorf("%s = %v, want %v", r.name, err, op.err)
		}
	}
}

// damage is an error of a type that the control package does not know.
type damage struct {
	Path string
	From uint64
	Err  error
}

func (e *damage) Error() string {
	return fmt.Sprintf("%s: damaged from %d on: %v", e.Path, e.From, e.Err)
}

func TestErrorsKeepTheirIdentity(t *testing.T) {
	op := full()
	client, _ := serve(t, op, control.Typed[*damage]("damage"))
	ask := func(err error) error {
		op.mu.Lock()
		op.err = err
		op.mu.Unlock()
		_, got := client.Status(t.Context())
		if got == nil || got.Error() != err.Error() {
			t.Errorf("error over the socket = %v, want %v", got, err)
		}
		return got
	}

	var setting *domain.SettingError
	want := &domain.SettingError{Setting: "max-sessions", Problem: "zero", Next: "unset it"}
	if got := ask(fmt.Errorf("set: %w", want)); !errors.As(got, &setting) || *setting != *want {
		t.Errorf("SettingError over the socket = %+v, want %+v", setting, want)
	}
	var d *damage
	if got := ask(&damage{"log.db", 7, fs.ErrInvalid}); !errors.As(got, &d) || d.Path != "log.db" || d.From != 7 {
		t.Errorf("an error of another type over the socket = %+v", d)
	}
	if got := ask(errors.Join(control.ErrUnknownProjection, fs.ErrExist)); !errors.Is(got, control.ErrUnknownProjection) || !errors.Is(got, fs.ErrExist) {
		t.Errorf("joined errors over the socket = %v, want both of them", got)
	}
	if got := ask(&fs.PathError{Op: "open", Path: "x", Err: fs.ErrPermission}); !errors.Is(got, fs.ErrPermission) {
		t.Errorf("fs.PathError over the socket = %v, want fs.ErrPermission", got)
	}
	if got := ask(errors.New("something else")); errors.Is(got, fs.ErrExist) || errors.As(got, &setting) {
		t.Errorf("an error of no known kind became one: %v", got)
	}
}

func TestBackupPathIsTheCallers(t *testing.T) {
	op := full()
	client, _ := serve(t, op)
	t.Chdir(t.TempDir())
	if _, err := client.Backup(t.Context(), "sub/file"); err != nil {
		t.Fatal(err)
	}
	want, err := filepath.Abs("sub/file")
	if err != nil {
		t.Fatal(err)
	}
	if op.asked != want {
		t.Errorf("the appliance was asked to write %v, want %v", op.asked, want)
	}
}
