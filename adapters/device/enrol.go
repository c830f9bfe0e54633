package device

import (
	"context"
	"errors"

	"rollcall/adapters/device/linkpb"
	"rollcall/domain"
	"rollcall/domain/broker"
)

var enrolCodes = []struct {
	is   error
	code linkpb.EnrolCode
}{
	{broker.ErrUnknownSecret, linkpb.EnrolCode_ENROL_CODE_UNKNOWN_SECRET},
	{domain.ErrUnknownOffer, linkpb.EnrolCode_ENROL_CODE_UNKNOWN_SECRET},
	{domain.ErrOfferExpired, linkpb.EnrolCode_ENROL_CODE_EXPIRED},
	{domain.ErrOfferSpent, linkpb.EnrolCode_ENROL_CODE_SPENT},
}

// enrol redeems an enrolment string for the device with that key, and answers.
func (l *link) enrol(ctx context.Context, key []byte, m *linkpb.Enrol) {
	devices := l.server.config.Devices
	id, err := devices.Enrol(ctx, broker.Enrolment{Secret: m.GetSecret(), Key: key, Label: m.GetLabel()})
	if errors.Is(err, domain.ErrOfferSpent) {
		// The device may have spent it itself, and lost the answer.
		if known, unknown := devices.Identify(key); unknown == nil {
			id, err = known, nil
		}
	}
	reply := &linkpb.ToDevice{Body: &linkpb.ToDevice_Enrolled{Enrolled: &linkpb.Enrolled{Device: uint64(id)}}}
	if err != nil {
		l.server.counters.enrolRefused.Add(1)
		l.server.tally.Add("refused an enrolment; if it was no mistake, somebody guesses", "peer", l.peer, "err", err)
		reply.Body = &linkpb.ToDevice_EnrolRefused{EnrolRefused: &linkpb.EnrolRefused{Code: enrolCode(err)}}
	}
	if err := l.channel.send(reply, answerPad); err == nil {
		l.finish()
		l.drain()
	}
}

func enrolCode(err error) linkpb.EnrolCode {
	for _, e := range enrolCodes {
		if errors.Is(err, e.is) {
			return e.code
		}
	}
	return linkpb.EnrolCode_ENROL_CODE_TRY_LATER
}
