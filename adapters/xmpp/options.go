package xmpp

import (
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"

	"rollcall/adapters/internal/settings"
	"rollcall/adapters/internal/upstreamtls"
	"rollcall/domain"
)

// tlsMode is how a connection becomes encrypted.
type tlsMode string

// The TLS modes. The last is the only one in which a stream stays in the clear.
const (
	tlsStart  tlsMode = "starttls"
	tlsDirect tlsMode = "direct"
	tlsNone   tlsMode = "none-for-loopback-tests-only"
)

// options are a service's settings as this connector understands them.
type options struct {
	address string // host:port; empty: found by SRV look-up
	domain  string // of accounts that name none
	mode    tlsMode
	trust   upstreamtls.Trust
	noPlain bool // never SASL PLAIN
	resume  bool // take a broken stream up again

	configs sync.Map // *tls.Config by the name that is checked
}

var optionParsers = settings.Parsers[options]{
	"domain":     (*options).setDomain,
	"tls":        (*options).setTLS,
	"ca-file":    (*options).setRoots,
	"pin-sha256": (*options).setPins,
	"plain":      (*options).setPlain,
	"resume":     (*options).setResume,
}

// parseSettings gives the options of a service, or a *[domain.SettingError].
func parseSettings(s domain.Settings) (*options, error) {
	o := &options{mode: tlsStart}
	if err := o.setAddress(s.Address); err != nil {
		return nil, err
	}
	if err := optionParsers.Parse(o, "an XMPP service", s.Options); err != nil {
		return nil, err
	}
	return o, o.checkClear()
}

func (o *options) setAddress(text string) error {
	if text == "" {
		return nil
	}
	_, _, err := settings.Address(text, "give for example xmpp.example.org:5222, or leave it out to find the server by its SRV record")
	o.address = text
	return err
}

func (o *options) setDomain(text string) error {
	if !validPart(text, `"&'/<>@`) {
		return &domain.SettingError{Setting: "domain", Problem: fmt.Sprintf("%.80q is no domain", text), Next: "give for example example.org"}
	}
	o.domain = strings.ToLower(text)
	return nil
}

func (o *options) setTLS(text string) error {
	switch mode := tlsMode(text); mode {
	case tlsStart, tlsDirect, tlsNone:
		o.mode = mode
		return nil
	}
	return &domain.SettingError{Setting: "tls", Problem: fmt.Sprintf("%.80q is no way to encrypt", text), Next: "give starttls (the default) or direct"}
}

func (o *options) setRoots(file string) error {
	return o.trust.SetRoots(file, "the authority's certificate")
}

func (o *options) setPins(text string) error { return o.trust.AddPins(text) }

func (o *options) setPlain(text string) (err error) {
	allowed, err := oneOf("plain", text, "allowed", "never")
	o.noPlain = !allowed
	return err
}

func (o *options) setResume(text string) (err error) {
	o.resume, err = oneOf("resume", text, "on", "off")
	return err
}

// oneOf tells whether text is yes; it must be that or no.
func oneOf(setting, text, yes, no string) (bool, error) {
	if text != yes && text != no {
		return false, &domain.SettingError{Setting: setting, Problem: fmt.Sprintf("%.80q is neither %s nor %s", text, yes, no), Next: "give one of the two, or leave it out"}
	}
	return text == yes, nil
}

// checkClear refuses a stream in the clear to anywhere but this machine.
func (o *options) checkClear() error {
	if o.mode != tlsNone {
		return nil
	}
	host, _, _ := net.SplitHostPort(o.address)
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return &domain.SettingError{Setting: "tls", Problem: string(tlsNone) + " needs a loopback address and has " + strconv.Quote(host),
			Next: "use starttls or direct, or set the address to 127.0.0.1 or [::1] with a port"}
	}
	return nil
}
