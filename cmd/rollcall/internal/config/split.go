package config

import (
	"net/netip"

	"rollcall/adapters/dispatcher"
)

// Router says how big a crowd the front door takes on, and, for `rollcall
// router`, where it hands connections on to. A limit of zero is the router's own
// default, a negative one means no limit.
type Router struct {
	// Dispatcher is the host:port of the dispatcher.
	Dispatcher Address `toml:"dispatcher" koanf:"dispatcher"`
	// Connections is the most connections at once, ConnectionsPerAddress the
	// most from one address.
	Connections           int `toml:"connections" koanf:"connections"`
	ConnectionsPerAddress int `toml:"connections-per-address" koanf:"connections-per-address"`
	// Rate is how many new connections a second one address may make, Burst how
	// many at once.
	Rate  float64 `toml:"rate" koanf:"rate"`
	Burst int     `toml:"burst" koanf:"burst"`
	// Exempt are networks that no limit per address holds for.
	Exempt []netip.Prefix `toml:"exempt" koanf:"exempt"`
}

// Dispatcher are the settings of `rollcall dispatcher`.
type Dispatcher struct {
	// Listen is the host:port that routers connect to.
	Listen string `toml:"listen" koanf:"listen"`
	// Trusted are the networks whose PROXY protocol headers are believed: those
	// of the routers.
	Trusted []netip.Prefix `toml:"trusted" koanf:"trusted"`
	// Plain takes devices that come without a router, too.
	Plain bool `toml:"plain" koanf:"plain"`
	// Services are the pins of the collaboration service's key.
	Services []Pin `toml:"services" koanf:"services"`
}

// Pin is the fingerprint of the key of one end of the link between a dispatcher
// and the collaboration service, as the other end prints it when it starts.
type Pin struct{ dispatcher.Pin }

// UnmarshalText reads the form sha256:BASE64.
func (p *Pin) UnmarshalText(text []byte) (err error) {
	p.Pin, err = dispatcher.ParsePin(string(text))
	return err
}

func defaultRouter() Router { return Router{Dispatcher: Address{"127.0.0.1:3102"}} }

func defaultDispatcher() Dispatcher {
	return Dispatcher{
		Listen:  "127.0.0.1:3102",
		Trusted: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")},
	}
}
