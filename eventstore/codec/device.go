package codec

import "rollcall/domain"

func encodeEnrolmentOffered(w *writer, e *domain.EnrolmentOffered) {
	w.ref(1, domain.Position(e.Person))
	w.duration(2, e.ValidFor)
}

func decodeEnrolmentOffered(r *reader, e *domain.EnrolmentOffered) {
	for r.next() {
		switch r.field {
		case 1:
			e.Person = domain.PersonID(r.ref())
		case 2:
			e.ValidFor = r.duration()
		default:
			r.skip()
		}
	}
}

func encodeDeviceEnrolled(w *writer, e *domain.DeviceEnrolled) {
	w.ref(1, domain.Position(e.Person))
	w.ref(2, domain.Position(e.Offer))
}

func decodeDeviceEnrolled(r *reader, e *domain.DeviceEnrolled) {
	for r.next() {
		switch r.field {
		case 1:
			e.Person = domain.PersonID(r.ref())
		case 2:
			e.Offer = domain.OfferID(r.ref())
		default:
			r.skip()
		}
	}
}

func encodeDeviceRevoked(w *writer, e *domain.DeviceRevoked) { w.ref(1, domain.Position(e.Device)) }

func decodeDeviceRevoked(r *reader, e *domain.DeviceRevoked) {
	for r.next() {
		switch r.field {
		case 1:
			e.Device = domain.DeviceID(r.ref())
		default:
			r.skip()
		}
	}
}
