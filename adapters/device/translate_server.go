package device

import (
	"fmt"
	"math"

	"rollcall/adapters/device/linkpb"
	"rollcall/domain"
	"rollcall/domain/broker"
)

// answerPad is what answers to a login or resume are padded to, so that their
// size does not tell how it went.
const answerPad = 128

// toDevice gives the wire's form of what the broker sends.
func toDevice(m broker.ToDevice) *linkpb.ToDevice {
	switch m := m.(type) {
	case broker.Accepted:
		return &linkpb.ToDevice{Body: &linkpb.ToDevice_Accepted{Accepted: &linkpb.Accepted{
			Session: uint64(m.Session), Resume: m.Resume, StatusIntervalMs: toMillis(m.StatusInterval), Fence: m.Fence,
			Received: m.Received, Epoch: m.Epoch,
		}}}
	case broker.Rejected:
		return &linkpb.ToDevice{Body: &linkpb.ToDevice_Rejected{Rejected: &linkpb.Rejected{
			Session: uint64(m.Session), Code: linkpb.RejectCode(m.Code), RetryAfterMs: toMillis(m.RetryAfter), Text: text(m.Text),
		}}}
	case broker.Resumed:
		return &linkpb.ToDevice{Body: &linkpb.ToDevice_Resumed{Resumed: &linkpb.Resumed{
			Session: uint64(m.Session), Fence: m.Fence, StatusIntervalMs: toMillis(m.StatusInterval), Epoch: m.Epoch,
		}}}
	case broker.ResumeRefused:
		return &linkpb.ToDevice{Body: &linkpb.ToDevice_ResumeRefused{ResumeRefused: &linkpb.ResumeRefused{
			Session: uint64(m.Session), Ended: m.Ended, Cause: toCause(m.Cause), IdledOut: m.IdledOut,
			RetryAfterMs: toMillis(m.RetryAfter), Text: text(m.Text),
		}}}
	case broker.Item:
		return &linkpb.ToDevice{Body: &linkpb.ToDevice_Item{Item: toItem(m)}}
	case broker.State:
		return &linkpb.ToDevice{Body: &linkpb.ToDevice_State{State: toState(statePart{State: m})}}
	case statePart:
		return &linkpb.ToDevice{Body: &linkpb.ToDevice_State{State: toState(m)}}
	case broker.ComeBack:
		return &linkpb.ToDevice{Body: &linkpb.ToDevice_ComeBack{ComeBack: &linkpb.ComeBack{AfterMs: toMillis(m.After)}}}
	case broker.Sent:
		return &linkpb.ToDevice{Body: &linkpb.ToDevice_Sent{Sent: &linkpb.Sent{Id: m.ID, Error: text(m.Error)}}}
	case broker.Pace:
		return &linkpb.ToDevice{Body: &linkpb.ToDevice_Pace{Pace: &linkpb.Pace{StatusIntervalMs: toMillis(m.StatusInterval)}}}
	case broker.Notice:
		return &linkpb.ToDevice{Body: &linkpb.ToDevice_Notice{Notice: &linkpb.Notice{
			Session: uint64(m.Session), Cause: toCause(m.Cause), IdledOut: m.IdledOut, Text: text(m.Text),
		}}}
	}
	panic(fmt.Sprintf("device link: a %T is not a broker's message", m))
}

func text(t string) string { return cut(valid(t), maxText) }

// manner is how a message is sent.
type manner struct {
	pad  int  // size of the frame at least
	last bool // nothing follows it
}

func mannerOf(m broker.ToDevice) manner {
	switch m.(type) {
	case broker.Accepted, broker.Resumed:
		return manner{pad: answerPad}
	case broker.Rejected, broker.ResumeRefused:
		return manner{pad: answerPad, last: true}
	case broker.Notice, broker.ComeBack:
		return manner{last: true}
	}
	return manner{}
}

// fromServer gives what a server sent on a link with a login or a session; an
// [ErrMessage] if it is none of those, or makes no sense.
func fromServer(m *linkpb.ToDevice) (broker.ToDevice, error) {
	switch b := m.GetBody().(type) {
	case *linkpb.ToDevice_Accepted:
		return fromAccepted(b.Accepted)
	case *linkpb.ToDevice_Rejected:
		return fromRejected(b.Rejected)
	case *linkpb.ToDevice_Resumed:
		return fromResumed(b.Resumed), nil
	case *linkpb.ToDevice_ResumeRefused:
		return fromResumeRefused(b.ResumeRefused)
	case *linkpb.ToDevice_Item:
		return fromItem(b.Item)
	case *linkpb.ToDevice_State:
		return fromState(b.State), nil
	case *linkpb.ToDevice_ComeBack:
		return broker.ComeBack{After: fromMillis(b.ComeBack.GetAfterMs())}, nil
	case *linkpb.ToDevice_Sent:
		return broker.Sent{ID: b.Sent.GetId(), Error: b.Sent.GetError()}, nil
	case *linkpb.ToDevice_Pace:
		return broker.Pace{StatusInterval: fromMillis(b.Pace.GetStatusIntervalMs())}, nil
	case *linkpb.ToDevice_Notice:
		return fromNotice(b.Notice)
	case nil:
		return nil, malformed("message", "empty, or of a newer version")
	}
	return nil, malformed("message", "an answer to an enrolment that was not asked for")
}

func fromAccepted(m *linkpb.Accepted) (broker.ToDevice, error) {
	if m.GetSession() == 0 {
		return nil, malformed("accepted", "no session")
	}
	return broker.Accepted{
		Session: domain.SessionID(m.GetSession()), Resume: m.GetResume(), Fence: m.GetFence(),
		StatusInterval: fromMillis(m.GetStatusIntervalMs()), Received: m.GetReceived(), Epoch: m.GetEpoch(),
	}, nil
}

func fromResumed(m *linkpb.Resumed) broker.Resumed {
	return broker.Resumed{
		Session: domain.SessionID(m.GetSession()), Fence: m.GetFence(),
		StatusInterval: fromMillis(m.GetStatusIntervalMs()), Epoch: m.GetEpoch(),
	}
}

func fromRejected(m *linkpb.Rejected) (broker.ToDevice, error) {
	if m.GetCode() <= 0 || m.GetCode() > math.MaxUint8 {
		return nil, malformed("rejected", "no code")
	}
	return broker.Rejected{
		Session: domain.SessionID(m.GetSession()), Code: domain.RejectCode(m.GetCode()),
		RetryAfter: fromMillis(m.GetRetryAfterMs()), Text: m.GetText(),
	}, nil
}

func fromResumeRefused(m *linkpb.ResumeRefused) (broker.ToDevice, error) {
	cause, ok := fromCause(m.GetCause())
	if !ok {
		return nil, malformed("resume-refused", "no such cause")
	}
	return broker.ResumeRefused{
		Session: domain.SessionID(m.GetSession()), Ended: m.GetEnded(), Cause: cause, IdledOut: m.GetIdledOut(),
		RetryAfter: fromMillis(m.GetRetryAfterMs()), Text: m.GetText(),
	}, nil
}

func fromNotice(m *linkpb.Notice) (broker.ToDevice, error) {
	cause, ok := fromCause(m.GetCause())
	if !ok {
		return nil, malformed("notice", "no such cause")
	}
	return broker.Notice{Session: domain.SessionID(m.GetSession()), Cause: cause, IdledOut: m.GetIdledOut(), Text: m.GetText()}, nil
}
