package codec

import (
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"rollcall/domain"
)

// The stored form of a [domain.State] is no part of events.proto: what is made of
// a log can be made again, and a form that no longer fits is thrown away.
// docs/storage-format.md has its fields. A time is a sint64 of milliseconds since
// 1970, because evidence can reach back before that.

// AppendState appends the stored form of a state to dst. The error tells of a
// setting that no event could hold.
func AppendState(dst []byte, s domain.State) ([]byte, error) {
	w := stateWriter{writer: writer{buf: dst}}
	w.uint(1, uint64(s.Position))
	w.time(2, s.Now)
	if s.Asked != (domain.Asked{}) {
		writeItem(&w, 3, s.Asked, writeAsked)
	}
	for _, v := range s.Services {
		writeItem(&w, 4, v, writeService)
	}
	for _, v := range s.People {
		w.present(5, uint64(v))
	}
	for _, v := range s.Accounts {
		writeItem(&w, 6, v, writeAccount)
	}
	for _, v := range s.Offers {
		writeItem(&w, 7, v, writeOffer)
	}
	for _, v := range s.Devices {
		writeItem(&w, 8, v, writeDevice)
	}
	for _, v := range s.Seats {
		v.Heard = s.Heard[v.Session]
		writeItem(&w, 9, v, writeSeat)
	}
	if w.problem != "" {
		return dst, &MalformedError{Problem: "a state: " + w.problem}
	}
	return w.buf, nil
}

// stateWriter writes things one after the other as messages of their own.
type stateWriter struct {
	writer
	item writer
}

func writeItem[T any](w *stateWriter, field protowire.Number, v T, write func(*writer, T)) {
	w.item.buf = w.item.buf[:0]
	write(&w.item, v)
	w.problem = w.item.problem
	w.buf = protowire.AppendTag(w.buf, field, protowire.BytesType)
	w.buf = protowire.AppendBytes(w.buf, w.item.buf)
}

// time writes a time; the zero time is absent.
func (w *writer) time(field protowire.Number, t time.Time) {
	if !t.IsZero() {
		w.present(field, protowire.EncodeZigZag(t.UnixMilli()))
	}
}

func (r *reader) time() time.Time { return time.UnixMilli(protowire.DecodeZigZag(r.uint())).UTC() }

func writeAsked(w *writer, a domain.Asked) {
	w.uint(1, uint64(a.Session))
	w.uint(2, uint64(a.Request.Device))
	w.uint(3, uint64(a.Request.Service))
	w.uint(4, uint64(a.Request.Account))
}

func writeService(w *writer, s domain.Service) {
	w.uint(1, uint64(s.ID))
	w.text(2, string(s.Name))
	w.message(3, func(w *writer) { encodeSettings(w, &s.Settings) })
	w.optUint(4, s.Total)
	w.uint(5, uint64(s.Seats))
	w.time(6, s.Queue)
}

func writeAccount(w *writer, a domain.Account) {
	w.uint(1, uint64(a.ID))
	w.uint(2, uint64(a.Person))
	w.uint(3, uint64(a.Service))
}

func writeOffer(w *writer, o domain.Offer) {
	w.uint(1, uint64(o.ID))
	w.uint(2, uint64(o.Person))
	w.time(3, o.Expires)
	w.bool(4, o.Spent)
}

func writeDevice(w *writer, d domain.Device) {
	w.uint(1, uint64(d.ID))
	w.uint(2, uint64(d.Person))
	w.bool(3, d.Revoked)
	w.uint(4, uint64(d.Failures))
	w.time(5, d.Failed)
}

func writeSeat(w *writer, s domain.Seat) {
	w.uint(1, uint64(s.Session))
	w.uint(2, uint64(s.Device))
	w.uint(3, uint64(s.Account))
	w.uint(4, uint64(s.Service))
	w.bool(5, s.Live)
	w.bool(6, s.Covered)
	w.uint(7, uint64(s.Fence))
	w.time(8, s.Heard)
}

// DecodeState reads the stored form of a state. What it gives shares nothing with
// b. The error is a *[MalformedError].
func DecodeState(b []byte) (domain.State, error) {
	s := domain.State{Heard: make(map[domain.SessionID]time.Time)}
	r := reader{buf: b}
	for r.next() {
		switch r.field {
		case 1:
			s.Position = domain.Position(r.uint())
		case 2:
			s.Now = r.time()
		case 3:
			s.Asked = readItem(&r, readAsked)
		case 4:
			s.Services = append(s.Services, readItem(&r, readService))
		case 5:
			s.People = append(s.People, domain.PersonID(r.uint()))
		case 6:
			s.Accounts = append(s.Accounts, readItem(&r, readAccount))
		case 7:
			s.Offers = append(s.Offers, readItem(&r, readOffer))
		case 8:
			s.Devices = append(s.Devices, readItem(&r, readDevice))
		case 9:
			seat := readItem(&r, readSeat)
			s.Heard[seat.Session], seat.Heard = seat.Heard, time.Time{}
			s.Seats = append(s.Seats, seat)
		default:
			r.skip()
		}
	}
	if r.problem != "" {
		return domain.State{}, &MalformedError{Problem: "a state: " + r.problem}
	}
	return s, nil
}

// readItem reads a message of its own. read gets one field at a time, and skips
// those it does not know.
func readItem[T any](r *reader, read func(*reader, *T)) (v T) {
	inner := reader{buf: r.bytes()}
	for inner.next() {
		read(&inner, &v)
	}
	if inner.problem != "" {
		r.refuse("%s", inner.problem)
	}
	return v
}

func readAsked(r *reader, a *domain.Asked) {
	switch r.field {
	case 1:
		a.Session = domain.SessionID(r.uint())
	case 2:
		a.Request.Device = domain.DeviceID(r.uint())
	case 3:
		a.Request.Service = domain.ServiceID(r.uint())
	case 4:
		a.Request.Account = domain.AccountID(r.uint())
	default:
		r.skip()
	}
}

func readService(r *reader, s *domain.Service) {
	switch r.field {
	case 1:
		s.ID = domain.ServiceID(r.uint())
	case 2:
		s.Name = domain.ServiceName(r.text())
	case 3:
		r.message(func(r *reader) { decodeSettings(r, &s.Settings) })
	case 4:
		s.Total = r.optUint()
	case 5:
		s.Seats = r.uint32()
	case 6:
		s.Queue = r.time()
	default:
		r.skip()
	}
}

func readAccount(r *reader, a *domain.Account) {
	switch r.field {
	case 1:
		a.ID = domain.AccountID(r.uint())
	case 2:
		a.Person = domain.PersonID(r.uint())
	case 3:
		a.Service = domain.ServiceID(r.uint())
	default:
		r.skip()
	}
}

func readOffer(r *reader, o *domain.Offer) {
	switch r.field {
	case 1:
		o.ID = domain.OfferID(r.uint())
	case 2:
		o.Person = domain.PersonID(r.uint())
	case 3:
		o.Expires = r.time()
	case 4:
		o.Spent = r.bool()
	default:
		r.skip()
	}
}

func readDevice(r *reader, d *domain.Device) {
	switch r.field {
	case 1:
		d.ID = domain.DeviceID(r.uint())
	case 2:
		d.Person = domain.PersonID(r.uint())
	case 3:
		d.Revoked = r.bool()
	case 4:
		d.Failures = r.uint32()
	case 5:
		d.Failed = r.time()
	default:
		r.skip()
	}
}

func readSeat(r *reader, s *domain.Seat) {
	switch r.field {
	case 1:
		s.Session = domain.SessionID(r.uint())
	case 2:
		s.Device = domain.DeviceID(r.uint())
	case 3:
		s.Account = domain.AccountID(r.uint())
	case 4:
		s.Service = domain.ServiceID(r.uint())
	case 5:
		s.Live = r.bool()
	case 6:
		s.Covered = r.bool()
	case 7:
		s.Fence = r.uint32()
	case 8:
		s.Heard = r.time()
	default:
		r.skip()
	}
}
