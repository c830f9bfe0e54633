package codec

import "rollcall/domain"

func encodePersonPermitted(w *writer, e *domain.PersonPermitted) {
	w.ref(1, domain.Position(e.Person))
	w.ref(2, domain.Position(e.Service))
}

func decodePersonPermitted(r *reader, e *domain.PersonPermitted) {
	for r.next() {
		switch r.field {
		case 1:
			e.Person = domain.PersonID(r.ref())
		case 2:
			e.Service = domain.ServiceID(r.ref())
		default:
			r.skip()
		}
	}
}

func encodePersonBarred(w *writer, e *domain.PersonBarred) {
	w.ref(1, domain.Position(e.Person))
	w.ref(2, domain.Position(e.Account))
}

func decodePersonBarred(r *reader, e *domain.PersonBarred) {
	for r.next() {
		switch r.field {
		case 1:
			e.Person = domain.PersonID(r.ref())
		case 2:
			e.Account = domain.AccountID(r.ref())
		default:
			r.skip()
		}
	}
}
