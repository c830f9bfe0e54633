// Package xmpp is the connector to XMPP servers. Each session gets a client
// stream of its own: one TCP connection, encrypted by STARTTLS or from the start.
//
// It speaks RFC 6120 (streams, TLS, SASL, stanzas), RFC 6121 (roster with
// versions, presence, messages), RFC 7590 (TLS), RFC 5802 and 7677 (SCRAM, also
// bound to the channel by RFC 9266 or 5929), XEP-0085 (chat states), XEP-0198
// (stream management), XEP-0199 (ping), XEP-0203 (delayed delivery), XEP-0368
// (direct TLS) and XEP-0440 (channel binding types).
//
// # Shape
//
// A negotiation takes a connection to a logged-in stream on the goroutine that
// called Login. From then on one goroutine reads the stream, element by element,
// and looks each one up in a table of handlers; what follows from it is queued and
// delivered to the sink. While the session waits, it holds no decoder and a
// buffer of half a kilobyte.
//
// # Messages are not lost
//
// A stanza is acknowledged to the server once its message, and all messages in
// front of it, are safe with the broker. What was not acknowledged when a stream
// ends, the server delivers again with the next login. A server that would get
// tired of waiting is told after 400 stanzas all the same.
//
// Send waits for what the server answers behind the message, so that a refusal
// becomes its error, and a message that a server has died with is not taken for
// sent. The answer is not waited for longer than two seconds, in which the sink may
// take what came in front of it. A refusal that comes later is delivered as a
// message from the recipient whose text, in brackets, says that the message was
// not delivered: there is nobody else left to tell.
//
// # What it never does
//
// It never sends a password in the clear, never falls back to a weaker way to log
// in after a better one failed, and keeps the password no longer than the login
// takes, unless the option resume asks for streams to be taken up again. It
// answers no wish to subscribe: the server keeps those for the person's other
// clients. It decides nothing about sessions.
package xmpp
