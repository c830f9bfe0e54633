package codec

import "rollcall/domain"

func encodeLoginRequested(w *writer, e *domain.LoginRequested) {
	w.ref(1, domain.Position(e.Device))
	w.ref(2, domain.Position(e.Service))
	w.ref(3, domain.Position(e.Account))
}

func decodeLoginRequested(n *numbers, e *domain.LoginRequested) {
	e.Device = domain.DeviceID(n.ref(1))
	e.Service = domain.ServiceID(n.ref(2))
	e.Account = domain.AccountID(n.ref(3))
}

func encodeLoginAdmitted(w *writer, e *domain.LoginAdmitted) {
	w.ref(1, domain.Position(e.Session))
	w.uint(2, uint64(e.Seats))
	w.optUint(3, e.Limit)
	w.optDuration(4, e.LongestIdle)
}

func decodeLoginAdmitted(n *numbers, e *domain.LoginAdmitted) {
	e.Session = domain.SessionID(n.ref(1))
	e.Seats = n.uint32(2)
	e.Limit = n.optUint(3)
	e.LongestIdle = n.optDuration(4)
}

func encodeLoginAccepted(w *writer, e *domain.LoginAccepted) { w.ref(1, domain.Position(e.Session)) }

func decodeLoginAccepted(n *numbers, e *domain.LoginAccepted) { e.Session = domain.SessionID(n.ref(1)) }

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

func decodeLoginRejected(n *numbers, e *domain.LoginRejected) {
	e.Session = domain.SessionID(n.ref(1))
	e.Code = domain.RejectCode(n.uint8(2))
	e.Seats = n.uint32(3)
	e.Limit = n.optUint(4)
	e.LongestIdle = n.optDuration(5)
	e.RetryAfter = n.optDuration(6)
	e.IdleSeats = n.uint32(7)
	e.Queue = n.optDuration(8)
}
