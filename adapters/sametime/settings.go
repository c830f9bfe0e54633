package sametime

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"rollcall/adapters/internal/settings"
	"rollcall/adapters/internal/upstreamtls"
	"rollcall/adapters/sametime/wire"
	"rollcall/domain"
)

// options are a service's settings as this connector understands them.
type options struct {
	host, port    string
	tls           bool
	trust         upstreamtls.Trust
	login         loginWay
	clearPassword bool // allowed
	cipher        imCipher
	stay          bool // on a redirect: stay on the server, which passes things on
	conferences   bool // come when invited
	clientType    uint16
	major, minor  uint16
}

// loginWay is how a login may prove itself.
type loginWay string

// The ways to log in.
const (
	loginOffered loginWay = "offered" // by key exchange if the server offers it, else with RC2-40
	loginRC2DH   loginWay = "rc2-128"
	loginRC2_40  loginWay = "rc2-40"
	loginPlain   loginWay = "plain"
)

// imCipher says what may encrypt a channel for messages.
type imCipher string

// The encryptions of a channel for messages.
const (
	cipherAny    imCipher = "any"
	cipherRC2DH  imCipher = "rc2-128"
	cipherRC2_40 imCipher = "rc2-40"
	cipherNone   imCipher = "none"
)

// clientTypeDefault is the number that third-party clients give.
const clientTypeDefault = 0x1700

var optionParsers = settings.Parsers[options]{
	"tls":            (*options).setTLS,
	"ca-file":        (*options).setRoots,
	"pin-sha256":     (*options).setPins,
	"login":          (*options).setLogin,
	"clear-password": (*options).setClearPassword,
	"im-encryption":  (*options).setCipher,
	"redirect":       (*options).setRedirect,
	"conferences":    (*options).setConferences,
	"client-type":    (*options).setClientType,
	"client-version": (*options).setClientVersion,
}

// parseSettings gives the options of a service, or a *[domain.SettingError].
func parseSettings(s domain.Settings) (*options, error) {
	o := &options{
		login: loginOffered, cipher: cipherAny, conferences: true,
		clientType: clientTypeDefault, major: wire.Major, minor: wire.Minor,
	}
	if err := o.setAddress(s.Address); err != nil {
		return nil, err
	}
	if err := optionParsers.Parse(o, "a Sametime service", s.Options); err != nil {
		return nil, err
	}
	return o, o.check()
}

func (o *options) setAddress(text string) (err error) {
	o.host, o.port, err = settings.Address(text, "give for example sametime.example.org:1533")
	return err
}

func (o *options) setTLS(text string) (err error) {
	o.tls, err = oneOf("tls", text, "direct", "none")
	return err
}

func (o *options) setRoots(file string) error {
	return o.trust.SetRoots(file, "the authority's certificate")
}

func (o *options) setPins(text string) error { return o.trust.AddPins(text) }

func (o *options) setLogin(text string) error {
	o.login = loginWay(text)
	return anyOf("login", text, string(loginOffered), string(loginRC2DH), string(loginRC2_40), string(loginPlain))
}

func (o *options) setClearPassword(text string) (err error) {
	o.clearPassword, err = oneOf("clear-password", text, "allow", "refuse")
	return err
}

func (o *options) setCipher(text string) error {
	o.cipher = imCipher(text)
	return anyOf("im-encryption", text, string(cipherAny), string(cipherRC2DH), string(cipherRC2_40), string(cipherNone))
}

func (o *options) setRedirect(text string) (err error) {
	o.stay, err = oneOf("redirect", text, "stay", "follow")
	return err
}

func (o *options) setConferences(text string) (err error) {
	o.conferences, err = oneOf("conferences", text, "join", "refuse")
	return err
}

func (o *options) setClientType(text string) error {
	n, err := strconv.ParseUint(text, 0, 16)
	if err != nil {
		return &domain.SettingError{Setting: "client-type", Problem: fmt.Sprintf("%.80q is no number of 16 bits", text), Next: "give for example 0x1700, as the server's list of allowed clients has it"}
	}
	o.clientType = uint16(n)
	return nil
}

func (o *options) setClientVersion(text string) error {
	before, after, found := strings.Cut(text, ".")
	major, bad1 := strconv.ParseUint(before, 0, 16)
	minor, bad2 := strconv.ParseUint(after, 0, 16)
	if !found || bad1 != nil || bad2 != nil {
		return &domain.SettingError{Setting: "client-version", Problem: fmt.Sprintf("%.80q is not MAJOR.MINOR", text), Next: "give for example 30.29, or 0x1e.0x1d"}
	}
	o.major, o.minor = uint16(major), uint16(minor)
	return nil
}

// oneOf tells whether text is yes; it must be that or no.
func oneOf(setting, text, yes, no string) (bool, error) {
	return text == yes, anyOf(setting, text, yes, no)
}

func anyOf(setting, text string, known ...string) error {
	if slices.Contains(known, text) {
		return nil
	}
	return &domain.SettingError{Setting: setting, Problem: fmt.Sprintf("%.80q is none of its values", text), Next: "give one of " + strings.Join(known, ", ")}
}

// check refuses what contradicts itself.
func (o *options) check() error {
	switch {
	case !o.tls && o.trust.IsSet():
		return &domain.SettingError{Setting: "tls", Problem: "there are ca-file or pin-sha256 but no TLS", Next: "set tls=direct, or leave the two out"}
	case !o.tls && !o.clearPassword && (o.login == loginPlain || o.login == loginRC2_40):
		return &domain.SettingError{Setting: "login", Problem: string(o.login) + " sends the password in the clear", Next: "set tls=direct, or login=rc2-128, or clear-password=allow if you accept that whoever listens learns it"}
	}
	return nil
}
