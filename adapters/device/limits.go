package device

// The longest fields, in bytes. Longer ones are refused by the device's end
// before they are sent, and by the server's end as [ErrMessage].
const (
	// MaxService is the longest name of a service.
	MaxService = 64
	// MaxAccount is the longest name of an account.
	MaxAccount = 320
	// MaxLabel is the longest label of a device.
	MaxLabel = 128
	// MaxMessageID is the longest name of a message.
	MaxMessageID = 64
	// MaxAddress is the longest address of a contact that is written to.
	MaxAddress = 1024
	// MaxBody is the longest body of a message.
	MaxBody = 48 << 10
	// MaxStatusText is the longest text of the person's own presence.
	MaxStatusText = 1024
	// maxPresenceText is the longest text of a contact's presence; more is cut.
	maxPresenceText = 4096
	// maxText is the longest text for people in an answer; more is cut.
	maxText = 512
	// maxSecret is the longest secret, of an enrolment or a session.
	maxSecret = 64
)
