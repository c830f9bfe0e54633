package groupwise_test

import (
	"testing"

	"rollcall/adapters/connectortest"
	"rollcall/adapters/groupwise"
	"rollcall/adapters/groupwise/gwserver"
	"rollcall/domain"
)

func with(s domain.Settings, option, value string) domain.Settings {
	s.Options = map[string]string{option: value}
	return s
}

// TestSuite runs the suite against both kinds of server: those that take one
// session of an account and those that take several.
func TestSuite(t *testing.T) {
	for name, several := range map[string]bool{"one sign-on": false, "several sign-ons": true} {
		t.Run(name, func(t *testing.T) { suite(t, several) })
	}
}

func suite(t *testing.T, several bool) {
	d := newDouble(t, func(c *gwserver.Config) { c.SeveralSignOns = several })
	good := domain.Settings{Kind: domain.KindGroupWise, Address: "im.example.org"}
	h := connectortest.Harness{
		Connector: groupwise.New(),
		Settings:  d.settings(),
		Claims: connectortest.Network | connectortest.Roster | connectortest.Presence | connectortest.PresenceText |
			connectortest.Typing | connectortest.Restart | connectortest.RefusesUnknown | connectortest.Limit,
		Refused: map[string]domain.Settings{
			"kind":        {Kind: domain.KindXMPP, Address: "im.example.org:8300"},
			"address":     {Kind: domain.KindGroupWise},
			"ca-file":     with(good, "ca-file", "/no/such/file"),
			"pin-sha256":  with(good, "pin-sha256", "short"),
			"tls-min":     with(good, "tls-min", "3.0"),
			"server-name": with(good, "server-name", "a b"),
			"characters":  with(good, "characters", "all"),
			"no-such":     with(good, "no-such", "x"),
		},
		Stop:  func(t *testing.T) { d.stop(t) },
		Start: func(t *testing.T) { d.start(t) },
		Type: func(_ *testing.T, from, to connectortest.Person, typing bool) {
			d.Type(from.Account, to.Account, typing)
		},
		Fill: func(t *testing.T) func() {
			dave, _ := d.login(t, "dave")
			d.SetMaxSessions(1)
			return func() {
				d.SetMaxSessions(0)
				if err := dave.Logout(t.Context()); err != nil {
					t.Error(err)
				}
			}
		},
	}
	if several {
		h.Claims |= connectortest.SharedAccounts
	}
	for _, name := range names[:3] {
		h.People = append(h.People, connectortest.Person{Account: name, Password: password(name), Name: "The " + name})
	}
	connectortest.Run(t, h)
}
