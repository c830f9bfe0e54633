package codec

import (
	"google.golang.org/protobuf/encoding/protowire"

	"rollcall/domain"
)

// entry joins an event type to its field number and its form.
type entry struct {
	number protowire.Number
	encode func(*writer, domain.Event)
	decode func(*reader) domain.Event
	pool   func() pool // an empty one; nil where there are texts
}

// table has an entry for each event type. The numbers are those of the message
// Record in events.proto.
var table = [...]entry{
	domain.TypeLoginRequested:    form(2, 3, encodeLoginRequested, decodeLoginRequested),
	domain.TypeLoginAdmitted:     form(3, 4, encodeLoginAdmitted, decodeLoginAdmitted),
	domain.TypeLoginAccepted:     form(4, 1, encodeLoginAccepted, decodeLoginAccepted),
	domain.TypeLoginRejected:     form(5, 8, encodeLoginRejected, decodeLoginRejected),
	domain.TypeCoverageLost:      form(6, 2, encodeCoverageLost, decodeCoverageLost),
	domain.TypeCoverageRegained:  form(7, 1, encodeCoverageRegained, decodeCoverageRegained),
	domain.TypeSessionResumed:    form(8, 2, encodeSessionResumed, decodeSessionResumed),
	domain.TypeSessionIdledOut:   form(9, 4, encodeSessionIdledOut, decodeSessionIdledOut),
	domain.TypeSessionEnded:      form(10, 3, encodeSessionEnded, decodeSessionEnded),
	domain.TypeBrokerStarted:     textForm(16, encodeBrokerStarted, decodeBrokerStarted),
	domain.TypeBrokerStopped:     form(17, 0, encodeBrokerStopped, decodeBrokerStopped),
	domain.TypeServiceConfigured: textForm(18, encodeServiceConfigured, decodeServiceConfigured),
	domain.TypeServiceRemoved:    form(19, 1, encodeServiceRemoved, decodeServiceRemoved),
	domain.TypePersonPermitted:   form(20, 2, encodePersonPermitted, decodePersonPermitted),
	domain.TypePersonBarred:      form(21, 2, encodePersonBarred, decodePersonBarred),
	domain.TypeEnrolmentOffered:  form(22, 2, encodeEnrolmentOffered, decodeEnrolmentOffered),
	domain.TypeDeviceEnrolled:    form(23, 2, encodeDeviceEnrolled, decodeDeviceEnrolled),
	domain.TypeDeviceRevoked:     form(24, 1, encodeDeviceRevoked, decodeDeviceRevoked),
}

// form makes an entry for an event whose fields are all numbers, of which known is
// the highest field number. decode sets every field of the event.
func form[E any, P interface {
	*E
	domain.Event
}](number, known protowire.Number, encode func(*writer, P), decode func(*numbers, P)) entry {
	e := textForm(number, encode, func(r *reader, e P) {
		n := r.numbers
		n.gather(r, known)
		decode(n, e)
		if n.refused != 0 {
			r.refuse("field %d is %d, above %d", n.refused, n.values[n.refused], n.most)
		}
	})
	e.pool = func() pool { return &poolOf[E, P]{decode: decode} }
	return e
}

// textForm makes an entry for any other event.
func textForm[E any, P interface {
	*E
	domain.Event
}](number protowire.Number, encode func(*writer, P), decode func(*reader, P)) entry {
	return entry{
		number: number,
		encode: func(w *writer, e domain.Event) { encode(w, e.(P)) },
		decode: func(r *reader) domain.Event {
			e := P(new(E))
			decode(r, e)
			return e
		},
	}
}

// byNumber finds an entry by its field number; nil where there is none.
var byNumber = func() (index [32]*entry) {
	for i := range table {
		if n := table[i].number; n != 0 {
			index[n] = &table[i]
		}
	}
	return index
}()

func entryFor(number protowire.Number) *entry {
	if int(number) < len(byNumber) {
		return byNumber[number]
	}
	return nil
}
