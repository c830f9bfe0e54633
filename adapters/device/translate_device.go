package device

import (
	"fmt"

	"rollcall/adapters/device/linkpb"
	"rollcall/domain/broker"
)

// fromDevice gives what a device with a session sent; an [ErrMessage] if
// it is none of a session's messages, or breaks a limit.
func fromDevice(m *linkpb.ToServer) (broker.FromDevice, error) {
	switch b := m.GetBody().(type) {
	case *linkpb.ToServer_Status:
		return broker.Status{InUse: b.Status.GetInUse()}, nil
	case *linkpb.ToServer_Send:
		return fromSend(b.Send)
	case *linkpb.ToServer_Ack:
		return broker.Ack{Number: b.Ack.GetNumber()}, nil
	case *linkpb.ToServer_SetPresence:
		return fromSetPresence(b.SetPresence)
	case *linkpb.ToServer_Logout:
		return broker.Logout{Answered: b.Logout.GetAnswered()}, nil
	case nil:
		return nil, malformed("message", "empty, or of a newer version")
	}
	return nil, malformed("message", "a login, resume or enrolment can only open a link")
}

func fromSend(m *linkpb.Send) (broker.FromDevice, error) {
	send := broker.Send{ID: m.GetId(), To: m.GetTo(), Body: m.GetBody()}
	if err := checkSend(send); err != nil {
		return nil, malformed("send", err.Error())
	}
	return send, nil
}

func checkSend(s broker.Send) error {
	switch {
	case s.ID == "" || s.To == "":
		return fmt.Errorf("%w: a message needs an id and somebody it goes to", ErrMessage)
	case len(s.ID) > MaxMessageID, len(s.To) > MaxAddress:
		return fmt.Errorf("%w: id over %d or address over %d bytes", ErrTooLong, MaxMessageID, MaxAddress)
	case len(s.Body) > MaxBody:
		return fmt.Errorf("%w: %d bytes, at most %d", ErrTooLong, len(s.Body), MaxBody)
	}
	return nil
}

func fromSetPresence(m *linkpb.SetPresence) (broker.FromDevice, error) {
	show, ok := fromShow(m.GetShow())
	if !ok {
		return nil, malformed("set-presence", "no such state")
	}
	if len(m.GetText()) > MaxStatusText {
		return nil, malformed("set-presence", "text too long")
	}
	return broker.SetPresence{Presence: broker.OwnPresence{Show: show, Text: m.GetText()}}, nil
}

// toServer gives the wire's form of what a device with a session sends.
func toServer(m broker.FromDevice) *linkpb.ToServer {
	switch m := m.(type) {
	case broker.Status:
		return &linkpb.ToServer{Body: &linkpb.ToServer_Status{Status: &linkpb.Status{InUse: m.InUse}}}
	case broker.Send:
		return &linkpb.ToServer{Body: &linkpb.ToServer_Send{Send: &linkpb.Send{Id: m.ID, To: valid(m.To), Body: valid(m.Body)}}}
	case broker.Ack:
		return &linkpb.ToServer{Body: &linkpb.ToServer_Ack{Ack: &linkpb.Ack{Number: m.Number}}}
	case broker.SetPresence:
		p := &linkpb.SetPresence{Show: toShow(m.Presence.Show), Text: valid(m.Presence.Text)}
		return &linkpb.ToServer{Body: &linkpb.ToServer_SetPresence{SetPresence: p}}
	case broker.Logout:
		return &linkpb.ToServer{Body: &linkpb.ToServer_Logout{Logout: &linkpb.Logout{Answered: m.Answered}}}
	}
	panic(fmt.Sprintf("device link: a %T is not a device's message", m))
}

func openLogin(service, account, password string) *linkpb.ToServer {
	login := &linkpb.Login{Service: service, Account: account, Password: password}
	return &linkpb.ToServer{Body: &linkpb.ToServer_Login{Login: login}}
}

func openResume(resume *linkpb.Resume) *linkpb.ToServer {
	return &linkpb.ToServer{Body: &linkpb.ToServer_Resume{Resume: resume}}
}

func openEnrol(secret []byte, label string) *linkpb.ToServer {
	enrol := &linkpb.Enrol{Secret: secret, Label: valid(label)}
	return &linkpb.ToServer{Body: &linkpb.ToServer_Enrol{Enrol: enrol}}
}

// checkOpening gives an [ErrMessage] if a login, resume or enrolment breaks a
// limit.
func checkOpening(m *linkpb.ToServer) error {
	switch b := m.GetBody().(type) {
	case *linkpb.ToServer_Login:
		l := b.Login
		if len(l.GetService()) > MaxService || len(l.GetAccount()) > MaxAccount || len(l.GetPassword()) > MaxPassword {
			return malformed("login", "service, account or password too long")
		}
		return nil
	case *linkpb.ToServer_Resume:
		if len(b.Resume.GetSecret()) > maxSecret {
			return malformed("resume", "secret too long")
		}
		return nil
	case *linkpb.ToServer_Enrol:
		if len(b.Enrol.GetSecret()) > maxSecret || len(b.Enrol.GetLabel()) > MaxLabel {
			return malformed("enrol", "secret or label too long")
		}
		return nil
	}
	return malformed("opening", "not a login, a resume or an enrolment")
}
