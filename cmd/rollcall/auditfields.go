package main

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
)

// repeated are fields that a row has a column or a name for already.
var repeated = map[string]bool{"session": true, "device": true, "service": true, "person": true, "account": true, "name": true}

// fieldParts gives an event's own fields as key=value, in their order, without
// those that are zero, unset, or in a column already. A structure's fields are
// given as if they were the event's.
func fieldParts(fields json.RawMessage) []string {
	var parts []string
	dec := json.NewDecoder(bytes.NewReader(fields))
	if open, err := dec.Token(); err != nil || open != json.Delim('{') {
		return nil
	}
	for dec.More() {
		key, err := dec.Token()
		var value json.RawMessage
		if err != nil || dec.Decode(&value) != nil {
			return parts
		}
		parts = append(parts, fieldPart(key.(string), value)...)
	}
	return parts
}

func fieldPart(key string, value json.RawMessage) []string {
	switch text := string(value); {
	case repeated[key], text == "null", text == "false", text == `""`, text == "[]":
		return nil
	case text == "true":
		return []string{key + "=yes"}
	case text[0] == '{':
		return fieldParts(value)
	case text[0] == '"':
		var inner string
		if json.Unmarshal(value, &inner) != nil {
			return nil
		}
		return []string{key + "=" + quoted(inner)}
	default:
		return []string{key + "=" + text}
	}
}

// quoted quotes what would not stand as one word.
func quoted(text string) string {
	if strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r == '"' || r == '=' || !strconv.IsPrint(r) }) {
		return strconv.Quote(text)
	}
	return text
}
