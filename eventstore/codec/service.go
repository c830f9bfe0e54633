package codec

import (
	"maps"
	"slices"

	"rollcall/domain"
)

func encodeServiceConfigured(w *writer, e *domain.ServiceConfigured) {
	w.ref(1, domain.Position(e.Service))
	w.text(2, string(e.Name))
	w.message(3, func(w *writer) { encodeSettings(w, &e.Settings) })
	w.optUint(4, e.Total)
}

func decodeServiceConfigured(r *reader, e *domain.ServiceConfigured) {
	for r.next() {
		switch r.field {
		case 1:
			e.Service = domain.ServiceID(r.ref())
		case 2:
			e.Name = domain.ServiceName(r.text())
		case 3:
			r.message(func(r *reader) { decodeSettings(r, &e.Settings) })
		case 4:
			e.Total = r.optUint()
		default:
			r.skip()
		}
	}
}

func encodeSettings(w *writer, s *domain.Settings) {
	w.text(1, string(s.Kind))
	w.text(2, s.Address)
	w.optUint(3, s.MaxSessions)
	w.optUint(4, s.ProtocolTotal)
	w.optDuration(5, s.IdleTimeout)
	w.optDuration(6, s.InactivityTimeout)
	w.uint(7, uint64(s.Evict))
	for _, key := range slices.Sorted(maps.Keys(s.Options)) {
		w.message(8, func(w *writer) {
			w.presentText(1, key)
			w.presentText(2, s.Options[key])
		})
	}
}

func decodeSettings(r *reader, s *domain.Settings) {
	for r.next() {
		switch r.field {
		case 1:
			s.Kind = domain.Kind(r.text())
		case 2:
			s.Address = r.text()
		case 3:
			s.MaxSessions = r.optUint()
		case 4:
			s.ProtocolTotal = r.optUint()
		case 5:
			s.IdleTimeout = r.optDuration()
		case 6:
			s.InactivityTimeout = r.optDuration()
		case 7:
			s.Evict = domain.Evict(r.uint8())
		case 8:
			r.message(func(r *reader) { decodeOption(r, s) })
		default:
			r.skip()
		}
	}
}

func decodeOption(r *reader, s *domain.Settings) {
	var key, value string
	for r.next() {
		switch r.field {
		case 1:
			key = r.text()
		case 2:
			value = r.text()
		default:
			r.skip()
		}
	}
	if s.Options == nil {
		s.Options = make(map[string]string)
	}
	s.Options[key] = value
}

func encodeServiceRemoved(w *writer, e *domain.ServiceRemoved) { w.ref(1, domain.Position(e.Service)) }

func decodeServiceRemoved(n *numbers, e *domain.ServiceRemoved) {
	e.Service = domain.ServiceID(n.ref(1))
}
