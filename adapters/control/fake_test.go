package control_test

import (
	"context"
	"iter"
	"sync"
	"time"

	"rollcall/adapters/control"
	"rollcall/domain"
)

// fake is an operator that notes what it is asked and gives what it is told to.
type fake struct {
	mu    sync.Mutex
	asked any
	err   error

	services []control.Service
	devices  []control.Device
	sessions []control.Session
	counts   []control.Count
	enrolled control.Enrolled
	backup   control.BackupDone
	erased   control.Erased
	status   control.Status
	rows     func(context.Context) iter.Seq2[control.AuditRow, error]
	why      control.Why
	progress []control.RebuildProgress
}

var _ control.Operator = (*fake)(nil)

func (f *fake) note(asked any) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = asked
	return f.err
}

// answer gives v, or nothing where there is an error.
func answer[A any](v A, err error) (A, error) {
	if err != nil {
		var zero A
		return zero, err
	}
	return v, nil
}

func (f *fake) SetService(_ context.Context, c control.ServiceChange) (control.Service, error) {
	err := f.note(c)
	if err != nil {
		return control.Service{}, err
	}
	return f.services[0], nil
}

func (f *fake) Services(context.Context) ([]control.Service, error) {
	return answer(f.services, f.note(nil))
}

func (f *fake) RemoveService(_ context.Context, name domain.ServiceName) error { return f.note(name) }

func (f *fake) EnrolDevice(_ context.Context, e control.Enrolment) (control.Enrolled, error) {
	return answer(f.enrolled, f.note(e))
}

func (f *fake) Devices(context.Context) ([]control.Device, error) {
	return answer(f.devices, f.note(nil))
}

func (f *fake) RevokeDevice(_ context.Context, id domain.DeviceID) error { return f.note(id) }

func (f *fake) BarPerson(_ context.Context, person string) error { return f.note(person) }

func (f *fake) ErasePerson(_ context.Context, person string) (control.Erased, error) {
	return answer(f.erased, f.note(person))
}

func (f *fake) Sessions(context.Context) ([]control.Session, error) {
	return answer(f.sessions, f.note(nil))
}

func (f *fake) SessionsAt(_ context.Context, at time.Time) ([]control.Session, error) {
	return answer(f.sessions, f.note(at))
}

func (f *fake) EndSession(_ context.Context, id domain.SessionID) error { return f.note(id) }

func (f *fake) Count(context.Context) ([]control.Count, error) {
	return answer(f.counts, f.note(nil))
}

func (f *fake) Audit(ctx context.Context, filter control.AuditFilter) iter.Seq2[control.AuditRow, error] {
	if err := f.note(filter); err != nil {
		return func(yield func(control.AuditRow, error) bool) { yield(control.AuditRow{}, err) }
	}
	return f.rows(ctx)
}

func (f *fake) Why(_ context.Context, q control.WhyQuery) (control.Why, error) {
	return answer(f.why, f.note(q))
}

func (f *fake) Rebuild(_ context.Context, r control.Rebuild) iter.Seq2[control.RebuildProgress, error] {
	err := f.note(r)
	return func(yield func(control.RebuildProgress, error) bool) {
		for _, p := range f.progress {
			if !yield(p, nil) {
				return
			}
		}
		if err != nil {
			yield(control.RebuildProgress{}, err)
		}
	}
}

func (f *fake) Backup(_ context.Context, path string) (control.BackupDone, error) {
	return answer(f.backup, f.note(path))
}

func (f *fake) Status(context.Context) (control.Status, error) { return answer(f.status, f.note(nil)) }
