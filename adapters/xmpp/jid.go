package xmpp

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// jid is an address without a resource, as a person logs in with it.
type jid struct{ local, domain string }

func (j jid) String() string { return j.local + "@" + j.domain }

// maxPart is the most bytes in one part of an address, RFC 7622 section 3.
const maxPart = 1023

// parseAccount gives the address that an account's name stands for: the name
// itself, or the name on the given domain where it has none. Upper case in it is
// mapped to lower, as servers do. It gives false where that is no address.
func parseAccount(account, domain string) (jid, bool) {
	local, own, full := strings.Cut(account, "@")
	if full {
		domain = own
	}
	j := jid{strings.ToLower(local), strings.ToLower(domain)}
	return j, validPart(j.local, `"&'/:<>@`) && validPart(j.domain, `"&'/<>@`)
}

func validPart(part, without string) bool {
	bad := func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r) || strings.ContainsRune(without, r)
	}
	return part != "" && len(part) <= maxPart && utf8.ValidString(part) && strings.IndexFunc(part, bad) < 0
}

// splitAddress gives an address without its resource, in lower case, and the
// resource.
func splitAddress(address string) (bare, resource string) {
	bare, resource, _ = strings.Cut(address, "/")
	return strings.ToLower(bare), resource
}
