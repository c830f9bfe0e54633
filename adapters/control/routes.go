package control

import (
	"context"
	"iter"
	"time"

	"rollcall/domain"
)

// The requests. Each is a POST of a JSON object to its path; the answer is a
// JSON object, or one on each line where there can be many (see wire.go).
const (
	pathSetService    = "/v1/service/set"
	pathServices      = "/v1/service/list"
	pathRemoveService = "/v1/service/remove"
	pathEnrolDevice   = "/v1/device/enrol"
	pathDevices       = "/v1/device/list"
	pathRevokeDevice  = "/v1/device/revoke"
	pathBarPerson     = "/v1/person/bar"
	pathErasePerson   = "/v1/person/erase"
	pathSessions      = "/v1/session/list"
	pathSessionsAt    = "/v1/session/at"
	pathEndSession    = "/v1/session/end"
	pathCount         = "/v1/session/count"
	pathAudit         = "/v1/audit"
	pathWhy           = "/v1/audit/why"
	pathRebuild       = "/v1/rebuild"
	pathBackup        = "/v1/backup"
	pathStatus        = "/v1/status"
)

// The requests that are no type of the interface.
type (
	none       struct{}
	namedQuery struct {
		Name domain.ServiceName `json:"name"`
	}
	deviceQuery struct {
		ID domain.DeviceID `json:"id"`
	}
	personQuery struct {
		Person string `json:"person"`
	}
	atQuery struct {
		At time.Time `json:"at"`
	}
	sessionQuery struct {
		ID domain.SessionID `json:"id"`
	}
	pathQuery struct {
		Path string `json:"path"`
	}
)

// routes says what each request asks of the operator.
var routes = map[string]route{
	pathSetService: call(Operator.SetService),
	pathServices:   list(Operator.Services),
	pathRemoveService: order(func(op Operator, ctx context.Context, q namedQuery) error {
		return op.RemoveService(ctx, q.Name)
	}),
	pathEnrolDevice: call(Operator.EnrolDevice),
	pathDevices:     list(Operator.Devices),
	pathRevokeDevice: order(func(op Operator, ctx context.Context, q deviceQuery) error {
		return op.RevokeDevice(ctx, q.ID)
	}),
	pathBarPerson: order(func(op Operator, ctx context.Context, q personQuery) error {
		return op.BarPerson(ctx, q.Person)
	}),
	pathErasePerson: call(func(op Operator, ctx context.Context, q personQuery) (Erased, error) {
		return op.ErasePerson(ctx, q.Person)
	}),
	pathSessions: list(Operator.Sessions),
	pathSessionsAt: call(func(op Operator, ctx context.Context, q atQuery) ([]Session, error) {
		return op.SessionsAt(ctx, q.At)
	}),
	pathEndSession: order(func(op Operator, ctx context.Context, q sessionQuery) error {
		return op.EndSession(ctx, q.ID)
	}),
	pathCount:   list(Operator.Count),
	pathAudit:   stream(Operator.Audit),
	pathWhy:     call(Operator.Why),
	pathRebuild: stream(Operator.Rebuild),
	pathBackup: call(func(op Operator, ctx context.Context, q pathQuery) (BackupDone, error) {
		return op.Backup(ctx, q.Path)
	}),
	pathStatus: list(Operator.Status),
}

// route carries out one request: it takes the request's body and sends what the
// operator answers.
type route func(op Operator, ctx context.Context, body []byte, send func(answer any) error) error

// call is a request with one answer.
func call[Q, A any](do func(Operator, context.Context, Q) (A, error)) route {
	return func(op Operator, ctx context.Context, body []byte, send func(any) error) error {
		q, err := decodeRequest[Q](body)
		if err != nil {
			return err
		}
		answer, err := do(op, ctx, q)
		if err != nil {
			return err
		}
		return send(answer)
	}
}

// list is a request that says nothing more than its path.
func list[A any](do func(Operator, context.Context) (A, error)) route {
	return call(func(op Operator, ctx context.Context, _ none) (A, error) { return do(op, ctx) })
}

// order is a request whose answer is that it was done.
func order[Q any](do func(Operator, context.Context, Q) error) route {
	return call(func(op Operator, ctx context.Context, q Q) (none, error) { return none{}, do(op, ctx, q) })
}

// stream is a request with any number of answers.
func stream[Q, A any](do func(Operator, context.Context, Q) iter.Seq2[A, error]) route {
	return func(op Operator, ctx context.Context, body []byte, send func(any) error) error {
		q, err := decodeRequest[Q](body)
		if err != nil {
			return err
		}
		for answer, err := range do(op, ctx, q) {
			if err != nil {
				return err
			}
			if err := send(answer); err != nil {
				return err
			}
		}
		return ctx.Err() // a follower ends without an error when its context does
	}
}
