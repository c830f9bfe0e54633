package control

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"reflect"
	"syscall"

	"rollcall/domain"
	"rollcall/domain/broker"
)

// ErrorKind lets errors of one kind keep their identity over the socket. Both
// ends know the kinds of the domain, of io/fs and of this package; [Listen] and
// [Dial] take more.
type ErrorKind struct {
	code string
	// pack gives what travels of the first error of this kind in err's tree.
	pack func(err error) (data json.RawMessage, ok bool)
	// unpack makes the error again.
	unpack func(data json.RawMessage) (error, bool)
}

// Sentinel is the kind of one error value, which errors.Is finds. The code names
// it on the wire, for good.
func Sentinel(code string, sentinel error) ErrorKind {
	return ErrorKind{
		code:   code,
		pack:   func(err error) (json.RawMessage, bool) { return nil, errors.Is(err, sentinel) },
		unpack: func(json.RawMessage) (error, bool) { return sentinel, true },
	}
}

// Typed is the kind of the errors of a type, which errors.As finds. Their
// exported fields travel as JSON; a field that is an error travels not.
func Typed[E error](code string) ErrorKind {
	return ErrorKind{
		code: code,
		pack: func(err error) (json.RawMessage, bool) {
			var e E
			if !errors.As(err, &e) {
				return nil, false
			}
			data, fault := json.Marshal(withoutErrors(e))
			return data, fault == nil
		},
		unpack: func(data json.RawMessage) (error, bool) {
			var e E
			fault := json.Unmarshal(data, &e)
			return e, fault == nil
		},
	}
}

// withoutErrors gives the exported fields of a struct, or of what a pointer
// points to, that are no errors themselves.
func withoutErrors(e error) map[string]any {
	v := reflect.Indirect(reflect.ValueOf(e))
	fields := make(map[string]any)
	if v.Kind() != reflect.Struct {
		return fields
	}
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if f.IsExported() && !f.Type.Implements(reflect.TypeFor[error]()) {
			fields[f.Name] = v.Field(i).Interface()
		}
	}
	return fields
}

// standard are the kinds that both ends know. A code is never reused.
var standard = []ErrorKind{
	Typed[*domain.SettingError]("setting"),
	Sentinel("unknown-service", domain.ErrUnknownService),
	Sentinel("unknown-person", domain.ErrUnknownPerson),
	Sentinel("unknown-account", domain.ErrUnknownAccount),
	Sentinel("unknown-device", domain.ErrUnknownDevice),
	Sentinel("device-revoked", domain.ErrDeviceRevoked),
	Sentinel("unknown-session", domain.ErrUnknownSession),
	Sentinel("not-pending", domain.ErrNotPending),
	Sentinel("stale-fence", domain.ErrStaleFence),
	Sentinel("unknown-offer", domain.ErrUnknownOffer),
	Sentinel("offer-spent", domain.ErrOfferSpent),
	Sentinel("offer-expired", domain.ErrOfferExpired),
	Sentinel("offer-time", domain.ErrOfferTime),
	Sentinel("broker-stopped", broker.ErrStopped),
	Sentinel("stopping", ErrStopping),
	Sentinel("unknown-projection", ErrUnknownProjection),
	Sentinel("unknown-event", ErrUnknownEvent),
	Sentinel("other-version", ErrOtherVersion),
	Sentinel("exists", fs.ErrExist),
	Sentinel("not-there", fs.ErrNotExist),
	Sentinel("permission", fs.ErrPermission),
	Sentinel("no-space", syscall.ENOSPC),
	Sentinel("read-only-file-system", syscall.EROFS),
	Sentinel("no-folder", syscall.ENOTDIR),
	Sentinel("deadline", context.DeadlineExceeded),
	Sentinel("cancelled", context.Canceled),
}

// errorKinds are the kinds that one end knows.
type errorKinds []ErrorKind

func kindsAnd(more []ErrorKind) errorKinds {
	return append(standard[:len(standard):len(standard)], more...)
}

// failure is an error on the wire: its text, and of which kinds it is.
type failure struct {
	Text  string   `json:"text"`
	Kinds []packed `json:"kinds,omitempty"`
}

type packed struct {
	Code string          `json:"code"`
	Data json.RawMessage `json:"data,omitempty"`
}

func (k errorKinds) pack(err error) *failure {
	f := &failure{Text: err.Error()}
	for _, kind := range k {
		if data, ok := kind.pack(err); ok {
			f.Kinds = append(f.Kinds, packed{kind.code, data})
		}
	}
	return f
}

// unpack makes an error that reads as it did on the other end. Kinds that this
// end does not know are left out.
func (k errorKinds) unpack(f *failure) error {
	e := &remoteError{text: f.Text}
	for _, p := range f.Kinds {
		for _, kind := range k {
			if kind.code != p.Code {
				continue
			}
			if cause, ok := kind.unpack(p.Data); ok {
				e.causes = append(e.causes, cause)
			}
		}
	}
	return e
}

// remoteError is an error that the appliance answered with.
type remoteError struct {
	text   string
	causes []error
}

func (e *remoteError) Error() string { return e.text }

func (e *remoteError) Unwrap() []error { return e.causes }
