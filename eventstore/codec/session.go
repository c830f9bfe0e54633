package codec

import "rollcall/domain"

func encodeSessionIdledOut(w *writer, e *domain.SessionIdledOut) {
	w.ref(1, domain.Position(e.Session))
	w.ref(2, domain.Position(e.For))
	w.duration(3, e.Idle)
	w.bool(4, e.OutOfCoverage)
}

func decodeSessionIdledOut(r *reader, e *domain.SessionIdledOut) {
	for r.next() {
		switch r.field {
		case 1:
			e.Session = domain.SessionID(r.ref())
		case 2:
			e.For = domain.SessionID(r.ref())
		case 3:
			e.Idle = r.duration()
		case 4:
			e.OutOfCoverage = r.bool()
		default:
			r.skip()
		}
	}
}

func encodeSessionEnded(w *writer, e *domain.SessionEnded) {
	w.ref(1, domain.Position(e.Session))
	w.uint(2, uint64(e.Cause))
	w.optDuration(3, e.Idle)
}

func decodeSessionEnded(r *reader, e *domain.SessionEnded) {
	for r.next() {
		switch r.field {
		case 1:
			e.Session = domain.SessionID(r.ref())
		case 2:
			e.Cause = domain.EndCause(r.uint8())
		case 3:
			e.Idle = r.optDuration()
		default:
			r.skip()
		}
	}
}
