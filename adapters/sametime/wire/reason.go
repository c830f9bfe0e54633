package wire

import "fmt"

// Reason is why a channel was destroyed, or how a request went. The top bit means
// failure.
type Reason uint32

// The reasons that this module sets or looks at by name; [Reasons] has all that
// are known.
const (
	Success          Reason = 0x00000000
	Failure          Reason = 0x80000000
	NotAuthorized    Reason = 0x80000003
	ServiceUnknown   Reason = 0x8000000d
	EncryptInvalid   Reason = 0x80000020
	VersionMismatch  Reason = 0x80000200
	ServerFull       Reason = 0x8000020b
	UserRemoved      Reason = 0x8000020e
	ProtocolError    Reason = 0x8000020f
	UserRestricted   Reason = 0x80000210
	IncorrectLogin   Reason = 0x80000211
	UserUnregistered Reason = 0x80000213
	VerificationDown Reason = 0x80000214
	ConnectionBroken Reason = 0x80000221
	MultiLogin       Reason = 0x80000229
	UserGone         Reason = 0x80002000
	UserBusy         Reason = 0x80002001
	IMNotRegistered  Reason = 0x80002005
	FileRejected     Reason = 0x08000606
)

// reasonNames are the names that the common client library gives.
var reasonNames = map[Reason]string{
	0x00000000: "SUCCESS",
	0x00000001: "REQUEST_DELAY",
	0x80000000: "FAILURE",
	0x80000001: "REQUEST_INVALID",
	0x80000002: "NOT_LOGGED_IN",
	0x80000003: "NOT_AUTHORIZED",
	0x80000004: "ABORT",
	0x80000005: "NO_ELEMENT",
	0x80000006: "NO_USER",
	0x80000007: "BAD_DATA",
	0x80000008: "NOT_IMPLEMENTED",
	0x80000009: "UNKNOWN_ERROR",
	0x8000000a: "STARVING",
	0x8000000b: "CHANNEL_NO_SUPPORT",
	0x8000000c: "CHANNEL_EXISTS",
	0x8000000d: "SERVICE_NO_SUPPORT",
	0x8000000e: "PROTOCOL_NO_SUPPORT",
	0x8000000f: "PROTOCOL_NO_SUPPORT2",
	0x80000010: "VERSION_NO_SUPPORT",
	0x80000011: "USER_SKETCHY",
	0x80000013: "ALREADY_INITIALIZED",
	0x80000014: "NOT_OWNER",
	0x80000015: "TOKEN_INVALID",
	0x80000016: "TOKEN_EXPIRED",
	0x80000017: "TOKEN_IP_MISMATCH",
	0x80000018: "PORT_IN_USE",
	0x80000019: "NETWORK_DEAD",
	0x8000001a: "NO_MASTER_CHANNEL",
	0x8000001b: "ALREADY_SUBSCRIBED",
	0x8000001c: "NOT_SUBSCRIBED",
	0x8000001d: "ENCRYPT_NO_SUPPORT",
	0x8000001e: "ENCRYPT_UNINITIALIZED",
	0x8000001f: "ENCRYPT_UNACCEPTABLE",
	0x80000020: "ENCRYPT_INVALID",
	0x80000021: "NO_COMMON_ENCRYPT",
	0x80000022: "CHANNEL_DESTROYED",
	0x80000023: "CHANNEL_REDIRECTED",
	0x80000200: "VERSION_MISMATCH",
	0x80000201: "INSUF_BUFFER",
	0x80000202: "NOT_IN_USE",
	0x80000203: "INSUF_SOCKET",
	0x80000204: "HARDWARE_ERROR",
	0x80000205: "NETWORK_DOWN",
	0x80000206: "HOST_DOWN",
	0x80000207: "HOST_UNREACHABLE",
	0x80000208: "TCPIP_ERROR",
	0x80000209: "FAT_MESSAGE",
	0x8000020a: "PROXY_ERROR",
	0x8000020b: "SERVER_FULL",
	0x8000020c: "SERVER_NORESPOND",
	0x8000020d: "CANT_CONNECT",
	0x8000020e: "USER_REMOVED",
	0x8000020f: "PROTOCOL_ERROR",
	0x80000210: "USER_RESTRICTED",
	0x80000211: "INCORRECT_LOGIN",
	0x80000212: "ENCRYPT_MISMATCH",
	0x80000213: "USER_UNREGISTERED",
	0x80000214: "VERIFICATION_DOWN",
	0x80000216: "USER_TOO_IDLE",
	0x80000217: "GUEST_IN_USE",
	0x80000218: "USER_EXISTS",
	0x80000219: "USER_RE_LOGIN",
	0x8000021a: "BAD_NAME",
	0x8000021b: "REG_MODE_NS",
	0x8000021c: "WRONG_USER_PRIV",
	0x8000021d: "NEED_EMAIL",
	0x8000021e: "DNS_ERROR",
	0x8000021f: "DNS_FATAL_ERROR",
	0x80000220: "DNS_NOT_FOUND",
	0x80000221: "CONNECTION_BROKEN",
	0x80000222: "CONNECTION_ABORTED",
	0x80000223: "CONNECTION_REFUSED",
	0x80000224: "CONNECTION_RESET",
	0x80000225: "CONNECTION_TIMED",
	0x80000226: "CONNECTION_CLOSED",
	0x80000227: "MULTI_SERVER_LOGIN",
	0x80000228: "MULTI_SERVER_LOGIN2",
	0x80000229: "MULTI_LOGIN_COMP",
	0x8000022a: "MULTI_LOGIN_ALREADY",
	0x8000022b: "SERVER_BROKEN",
	0x8000022c: "SERVER_PATH_OLD",
	0x8000022d: "APPLET_LOGOUT",
	0x80002000: "CLIENT_USER_GONE",
	0x80002001: "CLIENT_USER_DND",
	0x80002002: "CLIENT_USER_ELSEWHERE",
	0x80002003: "IM_COULDNT_REGISTER",
	0x80002004: "IM_ALREADY_REGISTERED",
	0x80002005: "IM_NOT_REGISTERED",
	0x08000606: "FILE_TRANSFER_REJECTED",
	0x00010000: "RESOLVE_PARTIAL",
	0x80020000: "RESOLVE_NOT_UNIQUE",
	0x80030000: "RESOLVE_BAD_NAME",
}

// Reasons gives every reason that is known, in no order.
func Reasons() []Reason {
	all := make([]Reason, 0, len(reasonNames))
	for r := range reasonNames {
		all = append(all, r)
	}
	return all
}

// Failed tells whether the reason is one of failure.
func (r Reason) Failed() bool { return r&0x80000000 != 0 }

// String gives the name, such as "INCORRECT_LOGIN", or the number.
func (r Reason) String() string {
	if name := reasonNames[r]; name != "" {
		return name
	}
	return fmt.Sprintf("0x%08x", uint32(r))
}

// reason is a [Reason], shown by its name.
func reason(f form, r *Reason) {
	if t, is := f.(*tracer); is {
		t.put("reason", "%v", *r)
		return
	}
	f.u32("reason", (*uint32)(r))
}
