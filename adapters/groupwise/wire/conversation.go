package wire

import (
	"strconv"
	"strings"
)

// The requests about conversations.
const (
	CommandCreate = "createconf"
	CommandSend   = "sendmessage"
	CommandTyping = "sendtyping"
	CommandInvite = "sendinvite"
	CommandJoin   = "joinconf"
	CommandReject = "rejectconf"
	CommandLeave  = "leaveconf"
)

// GUID names a conversation: [XXXXXXXX-XXXXXXXX-XXXXXXXX-XXXX-XXXX].
type GUID string

// NoGUID stands for a conversation that does not exist yet.
const NoGUID GUID = "[00000000-00000000-00000000-0000-0000]"

const (
	maxGUID = 256
	guidKey = 27 // the rest counts sessions, and may differ
)

// Key gives the part that tells conversations apart.
func (g GUID) Key() string {
	return strings.ToUpper(string(g[:min(len(g), guidKey)]))
}

// IsZero tells whether the GUID names no conversation.
func (g GUID) IsZero() bool { return g == "" || g.Key() == NoGUID.Key() }

// field gives the array in which requests and answers name a conversation.
func (g GUID) field(more ...Field) Field {
	return ArrayField(TagConversation, append([]Field{TextField(TagObjectID, string(g))}, more...)...)
}

// ParseGUID reads which conversation a request or the answer to createconf is
// about; empty where it is about none.
func ParseGUID(fields Fields) GUID {
	return GUID(fields.Array(TagConversation).Value(TagObjectID))
}

func dnFields(dns []string) Fields {
	var fields Fields
	for _, dn := range dns {
		fields = append(fields, DNField(TagDN, dn))
	}
	return fields
}

// Create gives a createconf request's fields: the other participants, and the
// client's own DN last.
func Create(others []string, own string) Fields {
	return append(append(Fields{NoGUID.field()}, dnFields(others)...), DNField(TagDN, own))
}

// CreateAnswer gives the fields of the answer to createconf.
func CreateAnswer(g GUID) Fields { return Fields{g.field()} }

// Participants reads the DNs in a request about a conversation.
func Participants(fields Fields) []string { return fields.Values(TagDN) }

// SendMessage is what a sendmessage request says.
type SendMessage struct {
	GUID GUID
	Body string   // RTF
	Text string   // the same as plain text
	To   []string // the other participants' DNs
}

// Fields gives the request's fields.
func (m SendMessage) Fields() Fields {
	return append(Fields{m.GUID.field(), ArrayField(TagMessage,
		TextField(TagMessageBody, m.Body), NumberField(TagMessageType, 0), TextField(TagMessageText, m.Text))}, dnFields(m.To)...)
}

// ParseSendMessage reads a request's fields.
func ParseSendMessage(fields Fields) SendMessage {
	message := fields.Array(TagMessage)
	return SendMessage{
		GUID: ParseGUID(fields), Body: message.Value(TagMessageBody), Text: message.Value(TagMessageText), To: Participants(fields),
	}
}

// SendTyping gives a sendtyping request's fields.
func SendTyping(g GUID, typing bool) Fields {
	event := StoppedTyping
	if typing {
		event = Typing
	}
	return Fields{g.field(TextField(TagType, strconv.Itoa(int(event))))}
}

// ParseTyping reads whether a sendtyping request says that the sender types.
func ParseTyping(fields Fields) bool {
	return fields.Array(TagConversation).Value(TagType) == strconv.Itoa(int(Typing))
}

// Invite gives a sendinvite request's fields.
func Invite(g GUID, text string, dns ...string) Fields {
	fields := append(Fields{g.field()}, dnFields(dns)...)
	if text != "" {
		fields = append(fields, TextField(TagMessageBody, text))
	}
	return fields
}

// InConversation gives the fields of a joinconf, rejectconf or leaveconf request.
func InConversation(g GUID) Fields { return Fields{g.field()} }

// JoinAnswer gives the fields of the answer to joinconf: who is there, and who
// has been invited and not come.
func JoinAnswer(there, invited []string) Fields {
	return Fields{ArrayField(TagContactList, dnFields(there)...), ArrayField(TagResults, dnFields(invited)...)}
}

// ParseJoinAnswer reads the answer to joinconf.
func ParseJoinAnswer(fields Fields) (there, invited []string) {
	return fields.Array(TagContactList).Values(TagDN), fields.Array(TagResults).Values(TagDN)
}
