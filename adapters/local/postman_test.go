package local_test

import (
	"context"
	"errors"
	"testing"

	"rollcall/domain"
	"rollcall/domain/broker"
)

// postman keeps messages for some who sleep.
type postman struct {
	asleep map[string]bool
	broken error
	kept   []broker.MessageReceived
}

func (p *postman) Deposit(_ context.Context, kind domain.Kind, account string, m broker.MessageReceived) (bool, error) {
	if kind != domain.KindLocal || !p.asleep[account] || p.broken != nil {
		return false, p.broken
	}
	p.kept = append(p.kept, m)
	return true, nil
}

func TestSendToSomebodyWhoSleeps(t *testing.T) {
	c, _, _ := newConnector(t)
	p := &postman{asleep: map[string]bool{"bob": true}}
	c.Shelter(p)
	v := login(t, c, "alice", &sink{})
	if err := v.Send(t.Context(), broker.OutgoingMessage{ID: "1", To: "bob", Body: "good night"}); err != nil {
		t.Fatal(err)
	}
	if len(p.kept) != 1 || p.kept[0].From != "alice" || p.kept[0].ID != "1" || p.kept[0].Body != "good night" {
		t.Errorf("the postman has %+v, want the message", p.kept)
	}
	var refused *broker.SendError
	if err := v.Send(t.Context(), broker.OutgoingMessage{ID: "2", To: "carol", Body: "x"}); !errors.As(err, &refused) {
		t.Errorf("Send to somebody who neither sleeps nor is there = %v, want a *SendError", err)
	}
	p.broken = broker.ErrStopped
	if err := v.Send(t.Context(), broker.OutgoingMessage{ID: "3", To: "bob", Body: "x"}); !errors.Is(err, broker.ErrStopped) {
		t.Errorf("Send with a postman who cannot = %v, want ErrStopped", err)
	}
}

// stopping is a postman whose broker stops once it was asked.
type stopping struct{ asked bool }

func (p *stopping) Deposit(context.Context, domain.Kind, string, broker.MessageReceived) (bool, error) {
	if p.asked {
		return false, broker.ErrStopped
	}
	p.asked = true
	return false, nil
}

// TestSendDuringAStop has the recipient's sessions leave because the broker stops: the
// message is not refused for that, and may be sent again later.
func TestSendDuringAStop(t *testing.T) {
	c, _, _ := newConnector(t)
	c.Shelter(&stopping{})
	v := login(t, c, "alice", &sink{})
	if err := v.Send(t.Context(), broker.OutgoingMessage{ID: "1", To: "bob", Body: "x"}); !errors.Is(err, broker.ErrStopped) {
		t.Errorf("Send = %v, want ErrStopped", err)
	}
}
