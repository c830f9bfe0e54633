package groupwise

import (
	"crypto/tls"
	"fmt"
	"net"
	"strings"

	"rollcall/adapters/groupwise/rtf"
	"rollcall/adapters/internal/settings"
	"rollcall/adapters/internal/upstreamtls"
	"rollcall/domain"
)

// options are a service's settings as this connector understands them.
type options struct {
	address    string // host:port
	serverName string // that the certificate is for
	trust      upstreamtls.Trust
	minTLS     uint16
	dialect    rtf.Dialect
}

var optionParsers = settings.Parsers[options]{
	"ca-file":     (*options).setRoots,
	"pin-sha256":  (*options).setPins,
	"tls-min":     (*options).setMinTLS,
	"server-name": (*options).setServerName,
	"characters":  (*options).setDialect,
}

// parseSettings gives the options of a service, or a *[domain.SettingError].
func parseSettings(s domain.Settings) (*options, error) {
	if s.Kind != domain.KindGroupWise {
		return nil, &domain.SettingError{Setting: "kind", Problem: fmt.Sprintf("%q is not for this connector", s.Kind), Next: "give " + string(domain.KindGroupWise)}
	}
	o := &options{minTLS: tls.VersionTLS12}
	if err := o.setAddress(s.Address); err != nil {
		return nil, err
	}
	if err := optionParsers.Parse(o, "a GroupWise Messenger service", s.Options); err != nil {
		return nil, err
	}
	return o, nil
}

// setAddress takes host:port, or a host for the usual port.
func (o *options) setAddress(text string) error {
	const next = "give the Messaging Agent's, for example im.example.org:8300"
	host, port, err := settings.Address(text, next)
	if text != "" && !strings.Contains(strings.Trim(text, "[]"), ":") {
		host, port, err = text, defaultPort, nil
	}
	if err != nil {
		return err
	}
	if strings.ContainsAny(host, " /@") {
		return settings.BadAddress(text, next)
	}
	o.address = net.JoinHostPort(host, port)
	if o.serverName == "" {
		o.serverName = host
	}
	return nil
}

func (o *options) setServerName(text string) error {
	if text == "" || strings.ContainsAny(text, " /@:") {
		return &domain.SettingError{Setting: "server-name", Problem: fmt.Sprintf("%.80q is no host name", text), Next: "give the name that the server's certificate is for"}
	}
	o.serverName = text
	return nil
}

func (o *options) setRoots(file string) error {
	return o.trust.SetRoots(file, "certificates")
}

func (o *options) setPins(text string) error { return o.trust.AddPins(text) }

var tlsVersions = map[string]uint16{"1.0": tls.VersionTLS10, "1.1": tls.VersionTLS11, "1.2": tls.VersionTLS12, "1.3": tls.VersionTLS13}

func (o *options) setMinTLS(text string) error {
	version, known := tlsVersions[text]
	if !known {
		return &domain.SettingError{Setting: "tls-min", Problem: fmt.Sprintf("%.80q is no version of TLS", text), Next: "give 1.2 (the default) or 1.3; 1.0 or 1.1 for a server that knows nothing better"}
	}
	o.minTLS = version
	return nil
}

var dialects = map[string]rtf.Dialect{"code-points": rtf.CodePoints, "surrogates": rtf.Surrogates}

func (o *options) setDialect(text string) error {
	dialect, known := dialects[text]
	if !known {
		return &domain.SettingError{Setting: "characters", Problem: fmt.Sprintf("%.80q is no way to write them", text), Next: "give code-points (the default) or surrogates"}
	}
	o.dialect = dialect
	return nil
}
