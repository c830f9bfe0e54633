package codec

import "rollcall/domain"

func encodeLoginRequested(w *writer, e *domain.LoginRequested) {
	w.ref(1, domain.Position(e.Device))
	w.ref(2, domain.Position(e.Service))
	w.ref(3, domain.Position(e.Account))
}

func decodeLoginRequested(r *reader, e *domain.LoginRequested) {
	for r.next() {
		switch r.field {
		case 1:
			e.Device = domain.DeviceID(r.ref())
		case 2:
			e.Service = domain.ServiceID(r.ref())
		case 3:
			e.Account = domain.AccountID(r.ref())
		default:
			r.skip()
		}
	}
}

func encodeLoginAdmitted(w *writer, e *domain.LoginAdmitted) {
	w.ref(1, domain.Position(e.Session))
	w.uint(2, uint64(e.Seats))
	w.optUint(3, e.Limit)
	w.optDuration(4, e.LongestIdle)
}

func decodeLoginAdmitted(r *reader, e *domain.LoginAdmitted) {
	for r.next() {
		switch r.field {
		case 1:
			e.Session = domain.SessionID(r.ref())
		case 2:
			e.Seats = r.uint32()
		case 3:
			e.Limit = r.optUint()
		case 4:
			e.LongestIdle = r.optDuration()
		default:
			r.skip()
		}
	}
}

func encodeLoginAccepted(w *writer, e *domain.LoginAccepted) { w.ref(1, domain.Position(e.Session)) }

func decodeLoginAccepted(r *reader, e *domain.LoginAccepted) {
	for r.next() {
		switch r.field {
		case 1:
			e.Session = domain.SessionID(r.ref())
		default:
			r.skip()
		}
	}
}

func encodeLoginRejected(w *writer, e *domain.LoginRejected) {
	w.ref(1, domain.Position(e.Session))
	w.uint(2, uint64(e.Code))
	w.uint(3, uint64(e.Seats))
	w.optUint(4, e.Limit)
	w.optDuration(5, e.LongestIdle)
	w.optDuration(6, e.RetryAfter)
	w.uint(7, uint64(e.IdleSeats))
	w.optDuration(8, e.Queue)
}

func decodeLoginRejected(r *reader, e *domain.LoginRejected) {
	for r.next() {
		switch r.field {
		case 1:
			e.Session = domain.SessionID(r.ref())
		case 2:
			e.Code = domain.RejectCode(r.uint8())
		case 3:
			e.Seats = r.uint32()
		case 4:
			e.Limit = r.optUint()
		case 5:
			e.LongestIdle = r.optDuration()
		case 6:
			e.RetryAfter = r.optDuration()
		case 7:
			e.IdleSeats = r.uint32()
		case 8:
			e.Queue = r.optDuration()
		default:
			r.skip()
		}
	}
}
