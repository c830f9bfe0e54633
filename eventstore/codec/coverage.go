package codec

import "rollcall/domain"

func encodeCoverageLost(w *writer, e *domain.CoverageLost) {
	w.ref(1, domain.Position(e.Session))
	w.duration(2, e.Silent)
}

func decodeCoverageLost(r *reader, e *domain.CoverageLost) {
	for r.next() {
		switch r.field {
		case 1:
			e.Session = domain.SessionID(r.ref())
		case 2:
			e.Silent = r.duration()
		default:
			r.skip()
		}
	}
}

func encodeCoverageRegained(w *writer, e *domain.CoverageRegained) {
	w.ref(1, domain.Position(e.Session))
}

func decodeCoverageRegained(r *reader, e *domain.CoverageRegained) {
	for r.next() {
		switch r.field {
		case 1:
			e.Session = domain.SessionID(r.ref())
		default:
			r.skip()
		}
	}
}

func encodeSessionResumed(w *writer, e *domain.SessionResumed) {
	w.ref(1, domain.Position(e.Session))
	w.uint(2, uint64(e.Fence))
}

func decodeSessionResumed(r *reader, e *domain.SessionResumed) {
	for r.next() {
		switch r.field {
		case 1:
			e.Session = domain.SessionID(r.ref())
		case 2:
			e.Fence = r.uint32()
		default:
			r.skip()
		}
	}
}
