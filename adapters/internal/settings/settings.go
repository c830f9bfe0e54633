package settings

import (
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"

	"rollcall/domain"
)

// Parsers has one entry for each option, by its name; an entry reads the option's
// text into an O.
type Parsers[O any] map[string]func(*O, string) error

// Parse reads the options given into o, in the order of their names. It gives the
// first error of a parser, or a *[domain.SettingError] for an option without one,
// which names the service, such as "an XMPP service".
func (p Parsers[O]) Parse(o *O, service string, given map[string]string) error {
	for _, name := range slices.Sorted(maps.Keys(given)) {
		parse, known := p[name]
		if !known {
			return &domain.SettingError{Setting: name, Problem: "no such option of " + service,
				Next: "use one of " + strings.Join(slices.Sorted(maps.Keys(p)), ", ")}
		}
		if err := parse(o, given[name]); err != nil {
			return err
		}
	}
	return nil
}

// Address takes an address of the form host:port apart. Where it is not of that
// form, or the port is not a number from 1 to 65535, the error is what
// [BadAddress] gives.
func Address(text, next string) (host, port string, err error) {
	host, port, err = net.SplitHostPort(text)
	number, badPort := strconv.ParseUint(port, 10, 16)
	if err != nil || host == "" || badPort != nil || number == 0 {
		return "", "", BadAddress(text, next)
	}
	return host, port, nil
}

// BadAddress gives the *[domain.SettingError] for an address that is not of the
// form host:port, with what to do about it.
func BadAddress(text, next string) error {
	return &domain.SettingError{Setting: "address", Problem: fmt.Sprintf("%.80q is not host:port", text), Next: next}
}
