package broker

import (
	"context"
	"encoding/binary"
	"errors"
	"slices"
)

// keptAnswers is how many answers a session remembers: more than a device keeps
// unanswered, which is a thousand at most, so that all of them may get lost with
// a link.
const keptAnswers = 1024

// refusedBefore is what a device is told whose message upstream refused before
// the broker was started again.
const refusedBefore = "the server refused the message"

// sentMemory remembers the answers to a device's latest messages, so that one
// that is asked for again, after a lost link, is not sent again. It keeps eight
// bytes of each; the inbox keeps them over a restart.
type sentMemory struct {
	loaded  bool              // with what the inbox has
	ids     []uint64          // parts of the messages' digests, a ring
	next    int               // of the ring, once it is full
	refused map[uint64]string // what upstream said of those that it refused
}

func shortly(d Digest) uint64 { return binary.BigEndian.Uint64(d[:]) }

// get gives what is known of a message; refused is empty if it was taken.
func (m *sentMemory) get(d Digest) (refused string, known bool) {
	short := shortly(d)
	return m.refused[short], slices.Contains(m.ids, short)
}

func (m *sentMemory) put(d Digest, refused string) {
	short := shortly(d)
	if len(m.ids) < keptAnswers {
		m.ids = append(m.ids, short)
	} else {
		delete(m.refused, m.ids[m.next])
		m.ids[m.next] = short
		m.next = (m.next + 1) % keptAnswers
	}
	if refused == "" {
		return
	}
	if m.refused == nil {
		m.refused = make(map[uint64]string)
	}
	m.refused[short] = refused
}

// digestOfSend names a message of the device: its ID does, and the rest is there
// for devices that begin to count anew.
func digestOfSend(m Send) Digest { return digestParts(m.ID, m.To, m.Body) }

// sendUpstream sends a message once, however often the device asks, and answers.
// Where the outcome is not known there is no answer: the link is dropped, so that
// the device comes back and asks again. calls is held.
func (s *session) sendUpstream(conv Conversation, m Send) {
	name := digestOfSend(m)
	if s.recall() != nil {
		return
	}
	refused, known := s.sent.get(name)
	if !known {
		var err error
		if refused, err = s.sendAnew(conv, m, name); err != nil {
			s.b.logger.Debug("message not sent", "session", s.id, "error", err)
			s.unanswered(err)
			return
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.say(Sent{ID: m.ID, Error: refused})
	s.use()
	s.flush()
}

// recall loads the answers that the inbox has, once.
func (s *session) recall() error {
	if s.sent.loaded {
		return nil
	}
	answers, err := s.b.inbox.Answers(context.Background(), s.mailboxID())
	if err != nil {
		return s.b.failInbox("read answers", err)
	}
	for _, a := range answers {
		refused := ""
		if a.Refused {
			refused = refusedBefore
		}
		s.sent.put(a.Message, refused)
	}
	s.sent.loaded = true
	return nil
}

// sendAnew sends a message and keeps what came of it. That is one call: whoever waits
// for its end finds the answer in the inbox.
func (s *session) sendAnew(conv Conversation, m Send, name Digest) (refused string, err error) {
	ctx, done := s.call.begin(context.Background(), s.b.timing.SendTimeout)
	defer done()
	if err := ctx.Err(); err != nil { // the device has its next session, which is asked instead
		return "", err
	}
	if refused, err = sendNow(ctx, conv, m); err != nil {
		return "", err
	}
	return refused, s.remember(name, refused)
}

// sendNow sends a message, and gives what upstream said where it refused.
func sendNow(ctx context.Context, conv Conversation, m Send) (refused string, err error) {
	err = conv.Send(ctx, OutgoingMessage(m))
	var refusal *SendError
	if errors.As(err, &refusal) {
		return brief(refusal.Text), nil
	}
	return "", err
}

// remember keeps an answer, on disk as well, before the device hears it. Where
// the disk is full it is kept in memory: only a device whose link takes the answer
// away before the broker is started again could then have its message sent twice.
func (s *session) remember(name Digest, refused string) error {
	err := s.b.inbox.Answer(context.Background(), s.mailboxID(), Answer{Message: name, Refused: refused != ""})
	if err != nil && !errors.Is(err, ErrInboxFull) {
		return s.b.failInbox("keep an answer", err)
	}
	s.mu.Lock()
	s.kept = s.kept || err == nil
	s.mu.Unlock()
	s.sent.put(name, refused)
	return nil
}

// unanswered sees to a message that has no answer. Where the conversation is over the
// sink is told, and where it is not told because it waits for room, this tells it.
func (s *session) unanswered(err error) {
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		s.outcomeUnknown()
	case errors.Is(err, ErrStopped) || s.b.seq.hasFailed(): // nothing is over but the broker
	case s.b.inboxFull.Load():
		s.upstreamClosed(err)
	}
}

// outcomeUnknown drops the link if nobody knows whether upstream has a message.
func (s *session) outcomeUnknown() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.link != nil && !s.over {
		s.dropLink()
	}
}
