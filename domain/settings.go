package domain

import (
	"fmt"
	"strings"
	"time"
)

// maxNameLength is the most bytes in a service's name.
const maxNameLength = 64

// SettingError tells which setting was refused, why, and what to do instead.
type SettingError struct {
	Setting string // the setting's name as the command line has it, such as "max-sessions"
	Problem string
	Next    string
}

func (e *SettingError) Error() string {
	return fmt.Sprintf("%s: %s: %s", e.Setting, e.Problem, e.Next)
}

func checkService(name ServiceName, s Settings) error {
	if err := CheckServiceName(name); err != nil {
		return err
	}
	if s.Kind == "" {
		return &SettingError{"kind", "missing", "give one of local, xmpp, groupwise, sametime"}
	}
	if s.Evict > EvictFewest {
		return &SettingError{"evict", s.Evict.String(), "give all or fewest"}
	}
	for _, err := range []error{
		checkLimit("max-sessions", s.MaxSessions),
		checkLimit("protocol-total", s.ProtocolTotal),
		checkTimeout("idle-timeout", s.IdleTimeout),
		checkTimeout("inactivity-timeout", s.InactivityTimeout),
	} {
		if err != nil {
			return err
		}
	}
	return nil
}

// CheckServiceName gives a *[SettingError] where name is not one that a service
// can have.
func CheckServiceName(name ServiceName) error {
	valid := func(r rune) bool {
		return 'a' <= r && r <= 'z' || '0' <= r && r <= '9' || strings.ContainsRune("-_.", r)
	}
	bad := strings.IndexFunc(string(name), func(r rune) bool { return !valid(r) })
	if name == "" || len(name) > maxNameLength || bad >= 0 || strings.ContainsRune("-_.", rune(name[0])) {
		return &SettingError{"name", fmt.Sprintf("%.80q is no service name", string(name)), "use up to 64 of a-z, 0-9, '-', '_', '.', beginning with a letter or a digit"}
	}
	return nil
}

func checkLimit(setting string, n Optional[uint32]) error {
	if v, set := n.Get(); set && v == 0 {
		return &SettingError{setting, "zero would let nobody in", "unset it instead for no limit, or remove the service"}
	}
	return nil
}

// minTimeout keeps a timeout above what a clock with whole milliseconds and a
// device that reports a few times per timeout can tell apart.
const minTimeout = time.Second

func checkTimeout(setting string, d Optional[time.Duration]) error {
	v, set := d.Get()
	switch {
	case !set:
		return nil
	case v == 0:
		return &SettingError{setting, "zero would log everybody out at once", "unset it instead for no timeout"}
	case v < minTimeout:
		return &SettingError{setting, fmt.Sprintf("%v is too short", v), fmt.Sprintf("give at least %v", minTimeout)}
	case v%time.Millisecond != 0:
		return &SettingError{setting, fmt.Sprintf("%v is finer than a millisecond", v), "give whole milliseconds"}
	}
	return nil
}
