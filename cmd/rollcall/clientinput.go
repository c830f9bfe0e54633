package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"rollcall/domain/broker"
)

// parseJSON reads a line of the JSON form. An empty line asks for nothing.
func parseJSON(line string) (w wish, err error) {
	if strings.TrimSpace(line) == "" {
		return w, nil
	}
	dec := json.NewDecoder(strings.NewReader(line))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&w); err != nil {
		return wish{}, fmt.Errorf("not understood: %w; write a line such as {\"send\":{\"to\":\"bob\",\"body\":\"hello\"}}", err)
	}
	if w == (wish{}) {
		return w, errors.New("nothing to do: give one of send, presence, logout")
	}
	return w, nil
}

// parseLine reads a line that a person typed.
func parseLine(line string) (w wish, err error) {
	line = strings.TrimRight(line, "\r\n")
	word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
	rest = strings.TrimSpace(rest)
	switch {
	case word == "":
		return w, nil
	case word == "/logout", word == "/quit":
		return wish{Logout: new(struct{})}, nil
	case strings.HasPrefix(word, "@") && rest != "":
		return wish{Send: &wishSend{To: word[1:], Body: rest}}, nil
	case strings.HasPrefix(word, "/"):
		if _, ok := broker.ParseShow(word[1:]); ok {
			return wish{Presence: &wishPresence{Show: word[1:], Text: rest}}, nil
		}
	}
	return w, errors.New("not understood: write '@NAME TEXT' to send, '/away' or '/available', '/logout'")
}
