package wire

import "fmt"

// Code is the result of a request. Zero is success.
type Code uint32

// The codes that are known.
const (
	OK                       Code = 0
	AccessDenied             Code = 0xD106
	NotSupported             Code = 0xD10A
	PasswordExpired          Code = 0xD10B
	PasswordInvalid          Code = 0xD10C
	UserNotFound             Code = 0xD10D
	AttributeNotFound        Code = 0xD10E
	UserDisabled             Code = 0xD110
	DirectoryFailure         Code = 0xD111
	HostNotFound             Code = 0xD119
	AdminLocked              Code = 0xD11C
	DuplicateParticipant     Code = 0xD11F
	ServerBusy               Code = 0xD123
	ObjectNotFound           Code = 0xD124
	DirectoryUpdate          Code = 0xD125
	DuplicateFolder          Code = 0xD126
	DuplicateContact         Code = 0xD127
	UserNotAllowed           Code = 0xD128
	TooManyContacts          Code = 0xD129
	ConversationNotFound     Code = 0xD12B
	TooManyFolders           Code = 0xD12C
	ServerProtocol           Code = 0xD130
	ConversationInvite       Code = 0xD135
	UserBlocked              Code = 0xD139
	MasterArchiveMissing     Code = 0xD13A
	PasswordExpired2         Code = 0xD142
	CredentialsMissing       Code = 0xD146
	AuthenticationFailed     Code = 0xD149
	EvaluationLimit          Code = 0xD14A
	UnsupportedClientVersion Code = 0xD14B
	InsufficientRights       Code = 0xD155
	TooSoon                  Code = 0xD157
	RecipientTooOld          Code = 0xD15C
)

// meanings say what a code means, for people.
var meanings = map[Code]string{
	OK:                       "success",
	AccessDenied:             "locked after too many wrong passwords",
	NotSupported:             "the server does not support this",
	PasswordExpired:          "the password has expired",
	PasswordInvalid:          "wrong password",
	UserNotFound:             "no such user",
	AttributeNotFound:        "the directory lacks an attribute",
	UserDisabled:             "the account is disabled",
	DirectoryFailure:         "the server cannot reach its directory",
	HostNotFound:             "the host in the user name is not known",
	AdminLocked:              "forbidden by the server's administrator",
	DuplicateParticipant:     "already in the conversation",
	ServerBusy:               "the server is busy",
	ObjectNotFound:           "no such name",
	DirectoryUpdate:          "the directory could not be changed",
	DuplicateFolder:          "there is such a folder already",
	DuplicateContact:         "the contact is in that folder already",
	UserNotAllowed:           "nobody can be their own contact",
	TooManyContacts:          "too many contacts",
	ConversationNotFound:     "no such conversation",
	TooManyFolders:           "too many folders",
	ServerProtocol:           "the server does not take this level of the protocol",
	ConversationInvite:       "not logged in, or not taking your messages",
	UserBlocked:              "not taking your messages",
	MasterArchiveMissing:     "the server's archive is not set up",
	PasswordExpired2:         "the password has expired",
	CredentialsMissing:       "no password, or not a right one",
	AuthenticationFailed:     "wrong user name or password",
	EvaluationLimit:          "the server is an evaluation version and has its ten users",
	UnsupportedClientVersion: "the server does not take clients of this version",
	InsufficientRights:       "not enough rights in the conversation",
	TooSoon:                  "asked again too soon",
	RecipientTooOld:          "the recipient's client is too old",
}

// Meaning gives the code's meaning in words.
func (c Code) Meaning() string {
	if meaning, known := meanings[c]; known {
		return meaning
	}
	return "a code that is not known"
}

// String gives the code as administrators find it in the server's documents, such
// as "D149".
func (c Code) String() string {
	if c == OK {
		return "0"
	}
	return fmt.Sprintf("%04X", uint32(c))
}
