package local

import (
	"fmt"
	"maps"
	"slices"

	"rollcall/domain"
)

// optionRoster says who stands in the roster of a session: everybody who has an
// account, or nobody. With everybody, each login tells everybody who is there,
// which many thousands at once feel.
const (
	optionRoster    = "roster"
	rosterEverybody = "everybody"
	rosterNobody    = "nobody"
)

// checkSettings gives a *[domain.SettingError] where the settings are not ones
// for the built-in service.
func checkSettings(s domain.Settings) error {
	if s.Kind != domain.KindLocal {
		return &domain.SettingError{Setting: "kind", Problem: fmt.Sprintf("%q is not the built-in service", s.Kind), Next: "give local"}
	}
	if s.Address != "" {
		return &domain.SettingError{Setting: "address", Problem: "the built-in service has no address", Next: "leave it out"}
	}
	for _, option := range slices.Sorted(maps.Keys(s.Options)) {
		if option != optionRoster {
			return &domain.SettingError{Setting: option, Problem: "the built-in service has no such setting", Next: "leave it out; there is roster"}
		}
	}
	switch who := s.Options[optionRoster]; who {
	case "", rosterEverybody, rosterNobody:
		return nil
	default:
		return &domain.SettingError{Setting: optionRoster, Problem: fmt.Sprintf("%.80q names nobody", who), Next: "give everybody or nobody"}
	}
}
