package main

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"rollcall/domain"
)

// maxPerson is the most bytes in a person's name, as the appliance has it.
const maxPerson = 256

// checkPerson gives a *usageError where text cannot be a person's name. It does not
// repeat the text: who pastes the wrong thing pastes a lot.
func checkPerson(text string) error {
	switch {
	case len(text) > maxPerson:
		return &usageError{fmt.Errorf("the person's name has %d bytes; give one of at most %d", len(text), maxPerson)}
	case !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl):
		return &usageError{fmt.Errorf("the person's name is not plain text; give one of UTF-8 without control characters")}
	}
	return nil
}

// personNumber gives what an event calls a person, whose name may be deleted; empty
// where there is no person.
func personNumber(id domain.PersonID) string {
	if id == 0 {
		return ""
	}
	return fmt.Sprint(id)
}

// personName prints a person's name, or what there is in its place once the person
// is erased.
func personName(text string, id domain.PersonID) string {
	if text == "" && id != 0 {
		return "person=" + personNumber(id)
	}
	return name(text)
}
