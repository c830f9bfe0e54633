package codec

import "rollcall/domain"

func encodeSessionIdledOut(w *writer, e *domain.SessionIdledOut) {
	w.ref(1, domain.Position(e.Session))
	w.ref(2, domain.Position(e.For))
	w.duration(3, e.Idle)
	w.bool(4, e.OutOfCoverage)
}

func decodeSessionIdledOut(n *numbers, e *domain.SessionIdledOut) {
	e.Session = domain.SessionID(n.ref(1))
	e.For = domain.SessionID(n.ref(2))
	e.Idle = n.duration(3)
	e.OutOfCoverage = n.bool(4)
}

func encodeSessionEnded(w *writer, e *domain.SessionEnded) {
	w.ref(1, domain.Position(e.Session))
	w.uint(2, uint64(e.Cause))
	w.optDuration(3, e.Idle)
}

func decodeSessionEnded(n *numbers, e *domain.SessionEnded) {
	e.Session = domain.SessionID(n.ref(1))
	e.Cause = domain.EndCause(n.uint8(2))
	e.Idle = n.optDuration(3)
}
