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
	pool   func() pool // an empty one
}

// table has an entry for each event type. The numbers are those of the message
// Record in events.proto.
var table = [...]entry{
	domain.TypeLoginRequested:    form(2, encodeLoginRequested, decodeLoginRequested),
	domain.TypeLoginAdmitted:     form(3, encodeLoginAdmitted, decodeLoginAdmitted),
	domain.TypeLoginAccepted:     form(4, encodeLoginAccepted, decodeLoginAccepted),
	domain.TypeLoginRejected:     form(5, encodeLoginRejected, decodeLoginRejected),
	domain.TypeCoverageLost:      form(6, encodeCoverageLost, decodeCoverageLost),
	domain.TypeCoverageRegained:  form(7, encodeCoverageRegained, decodeCoverageRegained),
	domain.TypeSessionResumed:    form(8, encodeSessionResumed, decodeSessionResumed),
	domain.TypeSessionIdledOut:   form(9, encodeSessionIdledOut, decodeSessionIdledOut),
	domain.TypeSessionEnded:      form(10, encodeSessionEnded, decodeSessionEnded),
	domain.TypeBrokerStarted:     form(16, encodeBrokerStarted, decodeBrokerStarted),
	domain.TypeBrokerStopped:     form(17, encodeBrokerStopped, decodeBrokerStopped),
	domain.TypeServiceConfigured: form(18, encodeServiceConfigured, decodeServiceConfigured),
	domain.TypeServiceRemoved:    form(19, encodeServiceRemoved, decodeServiceRemoved),
	domain.TypePersonPermitted:   form(20, encodePersonPermitted, decodePersonPermitted),
	domain.TypePersonBarred:      form(21, encodePersonBarred, decodePersonBarred),
	domain.TypeEnrolmentOffered:  form(22, encodeEnrolmentOffered, decodeEnrolmentOffered),
	domain.TypeDeviceEnrolled:    form(23, encodeDeviceEnrolled, decodeDeviceEnrolled),
	domain.TypeDeviceRevoked:     form(24, encodeDeviceRevoked, decodeDeviceRevoked),
}

// form makes an entry of functions for one concrete event.
func form[E any, P interface {
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
		pool: func() pool { return &poolOf[E, P]{read: decode} },
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
