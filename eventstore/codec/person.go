package codec

import "rollcall/domain"

func encodePersonPermitted(w *writer, e *domain.PersonPermitted) {
	w.ref(1, domain.Position(e.Person))
	w.ref(2, domain.Position(e.Service))
}

func decodePersonPermitted(n *numbers, e *domain.PersonPermitted) {
	e.Person = domain.PersonID(n.ref(1))
	e.Service = domain.ServiceID(n.ref(2))
}

func encodePersonBarred(w *writer, e *domain.PersonBarred) {
	w.ref(1, domain.Position(e.Person))
	w.ref(2, domain.Position(e.Account))
}

func decodePersonBarred(n *numbers, e *domain.PersonBarred) {
	e.Person = domain.PersonID(n.ref(1))
	e.Account = domain.AccountID(n.ref(2))
}
