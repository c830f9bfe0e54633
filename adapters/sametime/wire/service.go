package wire

import "fmt"

// Service is what a channel is for.
type Service uint32

// The services.
const (
	ServiceAwareness  Service = 0x00000011
	ServiceResolve    Service = 0x00000015
	ServiceStorage    Service = 0x00000018
	ServiceDirectory  Service = 0x0000001a
	ServiceFiles      Service = 0x00000038
	ServiceIM         Service = 0x00001000
	ServiceConference Service = 0x80000010
	ServicePlaces     Service = 0x80000022
)

// Protocol is the number and version of what is spoken on a channel.
type Protocol struct{ Number, Version uint32 }

// Protocols are those of the services that this package knows the messages of.
var Protocols = map[Service]Protocol{
	ServiceAwareness:  {0x11, 0x00030005},
	ServiceResolve:    {0x15, 0},
	ServiceStorage:    {0x25, 1},
	ServiceIM:         {0x1000, 3},
	ServiceConference: {0x10, 2},
}

// Side is who says something.
type Side uint8

// The sides.
const (
	FromClient Side = 1
	FromServer Side = 2
)

// ServiceMessage is what a [ChannelSend] carries; a pointer to a struct of this
// package.
type ServiceMessage interface {
	Part
	// Kind is the number that the [ChannelSend] has.
	Kind() uint16
}

// serviceKey finds what makes an empty service message. Most mean the same in both
// directions.
type serviceKey struct {
	service Service
	side    Side // zero: either
	kind    uint16
}

var serviceMessages = map[serviceKey]func() ServiceMessage{
	{ServiceAwareness, 0, kindAwareAdd}:       func() ServiceMessage { return new(AwareAdd) },
	{ServiceAwareness, 0, kindAwareRemove}:    func() ServiceMessage { return new(AwareRemove) },
	{ServiceAwareness, 0, kindAwareSnapshot}:  func() ServiceMessage { return new(AwareSnapshot) },
	{ServiceAwareness, 0, kindAwareUpdate}:    func() ServiceMessage { return new(AwareUpdate) },
	{ServiceAwareness, 0, kindAwareGroup}:     func() ServiceMessage { return new(AwareGroup) },
	{ServiceAwareness, 0, kindAwareWatch}:     func() ServiceMessage { return new(AwareWatch) },
	{ServiceAwareness, 0, kindAwareSet}:       func() ServiceMessage { return new(AwareSet) },
	{ServiceAwareness, 0, kindAwareUnset}:     func() ServiceMessage { return new(AwareUnset) },
	{ServiceIM, 0, kindIM}:                    func() ServiceMessage { return new(InstantMessage) },
	{ServiceResolve, FromClient, kindResolve}: func() ServiceMessage { return new(ResolveRequest) },
	{ServiceResolve, FromServer, kindResolve}: func() ServiceMessage { return new(ResolveAnswer) },
	{ServiceStorage, 0, kindStorageLoad}:      func() ServiceMessage { return new(StorageLoad) },
	{ServiceStorage, 0, kindStorageLoaded}:    func() ServiceMessage { return new(StorageLoaded) },
	{ServiceStorage, 0, kindStorageSave}:      func() ServiceMessage { return new(StorageSave) },
	{ServiceStorage, 0, kindStorageSaved}:     func() ServiceMessage { return new(StorageSaved) },

	{ServiceConference, FromServer, kindConferenceWelcome}: func() ServiceMessage { return new(ConferenceWelcome) },
	{ServiceConference, FromClient, kindConferenceInvite}:  func() ServiceMessage { return new(ConferenceInvite) },
	{ServiceConference, FromClient, kindConferenceJoin}:    func() ServiceMessage { return new(ConferenceJoin) },
	{ServiceConference, FromServer, kindConferenceJoin}:    func() ServiceMessage { return new(ConferenceJoined) },
	{ServiceConference, FromServer, kindConferencePart}:    func() ServiceMessage { return new(ConferenceParted) },
	{ServiceConference, FromClient, kindConferenceMessage}: func() ServiceMessage { return new(ConferenceMessage) },
	{ServiceConference, FromServer, kindConferenceMessage}: func() ServiceMessage { return new(ConferenceMessaged) },
}

// DecodeService reads what a channel of a service carried, from one side. A kind
// that is not known gives an *[UnknownService]; an error is a *[DecodeError].
func DecodeService(service Service, side Side, kind uint16, data []byte) (ServiceMessage, error) {
	empty := serviceMessages[serviceKey{service, 0, kind}]
	if empty == nil {
		empty = serviceMessages[serviceKey{service, side, kind}]
	}
	var m ServiceMessage = &UnknownService{Number: kind}
	if empty != nil {
		m = empty()
	}
	return m, Unmarshal(data, m)
}

// UnknownService is a service message of a kind that is not known.
type UnknownService struct {
	Number uint16
	Data   []byte
}

// Kind gives the number that the message came with.
func (m *UnknownService) Kind() uint16 { return m.Number }

func (m *UnknownService) name() string { return fmt.Sprintf("unknown-0x%04x", m.Number) }

func (m *UnknownService) fields(f form) { f.rest("data", &m.Data) }
