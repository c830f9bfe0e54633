package codec

import "rollcall/domain"

func encodeCoverageLost(w *writer, e *domain.CoverageLost) {
	w.ref(1, domain.Position(e.Session))
	w.duration(2, e.Silent)
}

func decodeCoverageLost(n *numbers, e *domain.CoverageLost) {
	e.Session = domain.SessionID(n.ref(1))
	e.Silent = n.duration(2)
}

func encodeCoverageRegained(w *writer, e *domain.CoverageRegained) {
	w.ref(1, domain.Position(e.Session))
}

func decodeCoverageRegained(n *numbers, e *domain.CoverageRegained) {
	e.Session = domain.SessionID(n.ref(1))
}

func encodeSessionResumed(w *writer, e *domain.SessionResumed) {
	w.ref(1, domain.Position(e.Session))
	w.uint(2, uint64(e.Fence))
}

func decodeSessionResumed(n *numbers, e *domain.SessionResumed) {
	e.Session = domain.SessionID(n.ref(1))
	e.Fence = n.uint32(2)
}
