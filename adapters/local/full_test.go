package local_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"rollcall/domain/broker"
)

// cramped is a sink without room.
type cramped struct {
	sink
	offered int
}

func (s *cramped) Offer(uint64, broker.MessageReceived) error {
	s.offered++
	return broker.ErrInboxFull
}

// TestSendWithoutRoom has some of the recipient's sessions, or the postman, without
// room. Only what nobody has is refused.
func TestSendWithoutRoom(t *testing.T) {
	for _, tt := range []struct {
		name            string
		roomy, cramped  int
		asleep, postman bool // there is somebody who sleeps; and room for that one
		want            string
	}{
		{name: "nobody has room", cramped: 2, want: "the server's disk is full"},
		{name: "somebody has it", cramped: 1, roomy: 1, want: "unknown"},
		{name: "who sleeps has no room", asleep: true, want: "the server's disk is full"},
		{name: "who sleeps has no room, nor who is there", asleep: true, cramped: 1, want: "the server's disk is full"},
		{name: "who sleeps has no room, who is there has", asleep: true, roomy: 1, want: "unknown"},
		{name: "who sleeps has it", asleep: true, postman: true, cramped: 1, want: "unknown"},
		{name: "all have room", asleep: true, postman: true, roomy: 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, _, _ := newConnector(t)
				p := &postman{asleep: map[string]bool{"bob": tt.asleep}}
				if tt.asleep && !tt.postman {
					p.broken = broker.ErrInboxFull
				}
				c.Shelter(p)
				a := login(t, c, "alice", &sink{})
				for range tt.roomy {
					login(t, c, "bob", &sink{})
				}
				for range tt.cramped {
					login(t, c, "bob", &cramped{})
				}
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				defer cancel()
				began := time.Now()
				err := a.Send(ctx, broker.OutgoingMessage{ID: "1", To: "bob", Body: "x"})
				var refused *broker.SendError
				switch got := time.Since(began); {
				case tt.want == "" && err != nil:
					t.Errorf("Send = %v, want no error", err)
				case tt.want == "unknown" && !errors.Is(err, context.DeadlineExceeded):
					t.Errorf("Send = %v, want that nobody knows", err)
				case tt.want != "" && tt.want != "unknown" && (!errors.As(err, &refused) || !strings.Contains(err.Error(), tt.want) || got > 0):
					t.Errorf("Send = %v after %v, want %q at once", err, got, tt.want)
				}
			})
		})
	}
}

// TestRefusedMessagesAreNotAcknowledgedLater has room come back behind one.
func TestRefusedMessagesAreNotAcknowledgedLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _, _ := newConnector(t)
		a := login(t, c, "alice", &sink{})
		v := login(t, c, "bob", &cramped{})
		for range 3 {
			var refused *broker.SendError
			if err := a.Send(t.Context(), broker.OutgoingMessage{To: "bob", Body: "x"}); !errors.As(err, &refused) {
				t.Errorf("Send = %v, want a refusal", err)
			}
			v.Acknowledge(1 << 20)
			synctest.Wait()
		}
	})
}
