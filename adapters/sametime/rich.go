package sametime

import "rollcall/adapters/sametime/wire"

// maxLong is the most bytes of a message that comes in pieces; what is more is cut
// off.
const maxLong = 256 << 10

// longMessage is a message that comes in pieces.
type longMessage struct {
	kind  wire.DataKind
	bytes []byte
}

// rich gives the text of a message that is more than text; whole is false where it
// is none, or more of it is to come.
func (ch *channel) rich(im *wire.InstantMessage) (text string, whole bool) {
	switch im.Data {
	case wire.DataBegins:
		ch.parts = new(longMessage)
		return "", false
	case wire.DataEnds:
		parts := ch.parts
		if ch.parts = nil; parts == nil {
			return "", false
		}
		return readRich(parts.kind, parts.bytes)
	case wire.DataHTML, wire.DataMIME:
		if ch.parts == nil {
			return readRich(im.Data, im.Bytes)
		}
		ch.parts.kind = im.Data
		ch.parts.bytes = append(ch.parts.bytes, im.Bytes[:min(len(im.Bytes), maxLong-len(ch.parts.bytes))]...)
	}
	return "", false
}

func readRich(kind wire.DataKind, source []byte) (string, bool) {
	switch kind {
	case wire.DataHTML:
		return plain(string(source)), true
	case wire.DataMIME:
		return plainMIME(source)
	}
	return "", false
}
