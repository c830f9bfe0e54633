package local

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	maxName     = 64
	maxDisplay  = 128 // bytes in the name that others see
	maxPassword = 1024
)

// CheckName gives a *[NameError] where name cannot be an account's: 1 to 64 of
// a-z, 0-9, '-', '_' and '.', beginning with a letter or a digit.
func CheckName(name string) error {
	problem := ""
	switch {
	case name == "":
		problem = "it is empty"
	case len(name) > maxName:
		problem = "it is longer than 64 characters"
	case strings.ContainsFunc(name, func(r rune) bool { return !nameRune(r) }):
		problem = "use only a-z, 0-9, '-', '_' and '.'"
	case strings.ContainsRune("-_.", rune(name[0])):
		problem = "begin with a letter or a digit"
	default:
		return nil
	}
	return &NameError{name, problem}
}

func nameRune(r rune) bool {
	return 'a' <= r && r <= 'z' || '0' <= r && r <= '9' || strings.ContainsRune("-_.", r)
}

func checkDisplay(display string) error {
	switch {
	case len(display) > maxDisplay:
		return &NameError{display, "the name for others is longer than 128 bytes"}
	case !utf8.ValidString(display) || strings.ContainsFunc(display, unicode.IsControl):
		return &NameError{display, "the name for others holds characters that cannot be shown"}
	}
	return nil
}

func checkPassword(password string) error {
	if password == "" || len(password) > maxPassword || !utf8.ValidString(password) {
		return ErrPassword
	}
	return nil
}
