package sametime

import (
	"rollcall/adapters/sametime/wire"
	"rollcall/domain"
)

// meaning is what a reason comes to, for the broker and for people.
type meaning struct {
	code domain.RejectCode
	text string
}

const (
	credentials = domain.RejectBadCredentials
	refused     = domain.RejectUpstreamRefused
	unreachable = domain.RejectUpstreamUnreachable
	timedOut    = domain.RejectUpstreamTimeout
	full        = domain.RejectUpstreamFull
)

// meanings has every reason that is known. One that is not here is
// upstream-refused, with its number.
var meanings = map[wire.Reason]meaning{
	0x00000000: {unreachable, "the server ended it without giving a reason"},
	0x00000001: {refused, "the server will see to it later"},
	0x80000000: {refused, "the server failed without saying how"},
	0x80000001: {refused, "the server calls the request invalid"},
	0x80000002: {refused, "the server says that nobody is logged in"},
	0x80000003: {refused, "not authorized"},
	0x80000004: {unreachable, "the server aborted it"},
	0x80000005: {refused, "there is no such thing"},
	0x80000006: {credentials, "there is no such user"},
	0x80000007: {refused, "the server calls the data invalid"},
	0x80000008: {refused, "the server cannot do that"},
	0x80000009: {refused, "the server has an error that it does not know"},
	0x8000000a: {full, "the server is out of resources"},
	0x8000000b: {refused, "the server does not support the channel"},
	0x8000000c: {refused, "the channel exists already"},
	0x8000000d: {refused, "the service is not offered"},
	0x8000000e: {refused, "the protocol is not supported"},
	0x8000000f: {refused, "the protocol is not supported"},
	0x80000010: {refused, "the protocol's version is not supported"},
	0x80000011: {credentials, "the user is invalid or not trusted"},
	0x80000013: {refused, "it was set up already"},
	0x80000014: {refused, "somebody else owns it"},
	0x80000015: {credentials, "the login token is invalid"},
	0x80000016: {credentials, "the login token has expired"},
	0x80000017: {credentials, "the login token is for another address"},
	0x80000018: {unreachable, "the server's port is in use"},
	0x80000019: {unreachable, "the server's network is dead"},
	0x8000001a: {refused, "there is no master channel"},
	0x8000001b: {refused, "subscribed already"},
	0x8000001c: {refused, "not subscribed"},
	0x8000001d: {refused, "the encryption is not supported"},
	0x8000001e: {refused, "the encryption was not set up"},
	0x8000001f: {refused, "the encryption is too weak for the other side"},
	0x80000020: {refused, "the encryption is invalid"},
	0x80000021: {refused, "there is no encryption that both sides know"},
	0x80000022: {unreachable, "the server asks to connect elsewhere"},
	0x80000023: {unreachable, "the channel was moved elsewhere"},
	0x80000200: {refused, "the server wants another version of the protocol; see the option client-version"},
	0x80000201: {full, "the server is out of buffers"},
	0x80000202: {refused, "it is not in use"},
	0x80000203: {full, "the server is out of sockets"},
	0x80000204: {unreachable, "the server's hardware has an error"},
	0x80000205: {unreachable, "the server's network is down"},
	0x80000206: {unreachable, "the host is down"},
	0x80000207: {unreachable, "the host cannot be reached"},
	0x80000208: {unreachable, "the server has a TCP/IP error"},
	0x80000209: {refused, "the message is too large"},
	0x8000020a: {unreachable, "the proxy has an error"},
	0x8000020b: {full, "the server is full"},
	0x8000020c: {timedOut, "the person's home server does not respond"},
	0x8000020d: {unreachable, "the person's home server cannot be connected to"},
	0x8000020e: {refused, "an administrator has removed the user from the server"},
	0x8000020f: {refused, "the server sees an error in the protocol"},
	0x80000210: {refused, "the user may not connect; the server may also mean the client, see the option client-type"},
	0x80000211: {credentials, "wrong name or password"},
	0x80000212: {refused, "the login's encryption does not fit; see the option login"},
	0x80000213: {credentials, "the user is not registered"},
	0x80000214: {unreachable, "the server cannot verify passwords now"},
	0x80000216: {refused, "idle for too long"},
	0x80000217: {refused, "the guest name is in use"},
	0x80000218: {refused, "logged in elsewhere already"},
	0x80000219: {refused, "logged in elsewhere just now"},
	0x8000021a: {credentials, "the name cannot be used"},
	0x8000021b: {refused, "the server's registration does not allow it"},
	0x8000021c: {refused, "the user lacks the privilege"},
	0x8000021d: {refused, "the server wants an e-mail address of the user"},
	0x8000021e: {unreachable, "the server has an error of name resolution"},
	0x8000021f: {unreachable, "the server has a fatal error of name resolution"},
	0x80000220: {unreachable, "the server does not find a name"},
	0x80000221: {unreachable, "the connection is broken"},
	0x80000222: {unreachable, "the connection was aborted"},
	0x80000223: {unreachable, "the connection was refused"},
	0x80000224: {unreachable, "the connection was reset"},
	0x80000225: {timedOut, "the connection timed out"},
	0x80000226: {unreachable, "the connection was closed"},
	0x80000227: {refused, "logged in elsewhere: on two servers at once"},
	0x80000228: {refused, "logged in elsewhere: on two servers at once"},
	0x80000229: {refused, "logged in elsewhere: from another computer, which has taken this login's place"},
	0x8000022a: {refused, "logged in elsewhere already, from another computer"},
	0x8000022b: {unreachable, "the person's home server cannot be reached, or is set up wrong"},
	0x8000022c: {refused, "the person's home server is too old for this way"},
	0x8000022d: {unreachable, "the server asks to log in again"},
	0x80002000: {refused, "the recipient is not logged in"},
	0x80002001: {refused, "the recipient does not want to be disturbed"},
	0x80002002: {refused, "the recipient is logged in under another name"},
	0x80002003: {refused, "the recipient's client cannot take messages"},
	0x80002004: {refused, "the recipient's client takes messages already"},
	0x80002005: {refused, "the recipient's client does not take such messages"},
	0x08000606: {refused, "the file was not taken"},
	0x00010000: {refused, "the answer is partial"},
	0x80020000: {refused, "the name stands for several people"},
	0x80030000: {refused, "the name stands for nobody"},
}
