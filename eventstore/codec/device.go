package codec

import "rollcall/domain"

func encodeEnrolmentOffered(w *writer, e *domain.EnrolmentOffered) {
	w.ref(1, domain.Position(e.Person))
	w.duration(2, e.ValidFor)
}

func decodeEnrolmentOffered(n *numbers, e *domain.EnrolmentOffered) {
	e.Person = domain.PersonID(n.ref(1))
	e.ValidFor = n.duration(2)
}

func encodeDeviceEnrolled(w *writer, e *domain.DeviceEnrolled) {
	w.ref(1, domain.Position(e.Person))
	w.ref(2, domain.Position(e.Offer))
}

func decodeDeviceEnrolled(n *numbers, e *domain.DeviceEnrolled) {
	e.Person = domain.PersonID(n.ref(1))
	e.Offer = domain.OfferID(n.ref(2))
}

func encodeDeviceRevoked(w *writer, e *domain.DeviceRevoked) { w.ref(1, domain.Position(e.Device)) }

func decodeDeviceRevoked(n *numbers, e *domain.DeviceRevoked) { e.Device = domain.DeviceID(n.ref(1)) }
