package config

import (
	"bytes"
	"errors"
	"fmt"
	gomaps "maps"
	"os"
	"slices"
	"strings"

	"github.com/knadh/koanf/maps"
	"github.com/pelletier/go-toml/v2"
)

// readFile reads a TOML file twice: into a Config, which finds unknown keys and
// bad values with their lines, and into the map that is laid over the defaults.
func readFile(path string) (map[string]any, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, &Error{Where: path, Problem: readProblem(err)}
	}
	strict := toml.NewDecoder(bytes.NewReader(text)).DisallowUnknownFields()
	bad := strict.Decode(new(Config))
	values := make(map[string]any)
	if err := toml.Unmarshal(text, &values); err != nil {
		return nil, fileError(path, err)
	}
	if bad != nil {
		return nil, withPlace(fileError(path, bad), path, text, values)
	}
	return values, nil
}

func readProblem(err error) string {
	var cause *os.PathError
	if errors.As(err, &cause) {
		return fmt.Sprintf("cannot read the configuration: %v", cause.Err)
	}
	return err.Error()
}

func fileError(path string, err error) *Error {
	var unknown *toml.StrictMissingError
	if errors.As(err, &unknown) {
		first := &unknown.Errors[0]
		row, _ := first.Position()
		key := strings.Join(first.Key(), delimiter)
		return &Error{Where: at(path, row), Setting: key, Problem: "there is no such setting" + nearest(key, Keys())}
	}
	var bad *toml.DecodeError
	if errors.As(err, &bad) {
		row, _ := bad.Position()
		return &Error{Where: at(path, row), Setting: strings.Join(bad.Key(), delimiter), Problem: decodeProblem(bad)}
	}
	return &Error{Where: path, Problem: err.Error()}
}

// decodeProblem says in words of the file, not of the program, that a value is of
// the wrong kind.
func decodeProblem(err *toml.DecodeError) string {
	text := strings.TrimPrefix(err.Error(), "toml: ")
	if _, kind, ok := strings.Cut(text, " of type "); ok {
		if wanted := wordings[kind]; wanted != "" {
			return "this is not " + wanted
		}
	}
	return text
}

// wordings say what belongs where a value is kept in a Go type.
var wordings = map[string]string{
	"string":  `text; write it in quotes, such as ":3101"`,
	"bool":    "true or false; write one of them, without quotes",
	"int":     "a whole number; write one such as 1024, without quotes",
	"float64": "a number; write one such as 50 or 0.5, without quotes",
}

// withPlace finds the setting of an error without a line: one of a value that is
// no text, such as a bare number where a duration belongs.
func withPlace(e *Error, path string, text []byte, values map[string]any) *Error {
	if e.Setting != "" || e.Where != path {
		return e
	}
	flat, _ := maps.Flatten(values, nil, delimiter)
	for _, key := range slices.Sorted(gomaps.Keys(flat)) {
		if _, isText := flat[key].(string); !isText && decodeOne(key, flat[key]) != nil {
			return &Error{Where: at(path, lineOf(text, key)), Setting: key, Problem: e.Problem}
		}
	}
	return e
}

// lineOf gives the line of a key. The strict decoder knows it: every key is
// missing in a struct that has the tables only.
func lineOf(text []byte, key string) int {
	var tables struct{ Timing, Log, Metrics, Router, Dispatcher struct{} }
	err := toml.NewDecoder(bytes.NewReader(text)).DisallowUnknownFields().Decode(&tables)
	var missing *toml.StrictMissingError
	if !errors.As(err, &missing) {
		return 1
	}
	for i := range missing.Errors {
		if e := &missing.Errors[i]; strings.Join(e.Key(), delimiter) == key {
			row, _ := e.Position()
			return row
		}
	}
	return 1
}

func at(path string, row int) string { return fmt.Sprintf("%s:%d", path, row) }

// nearest proposes the name that was probably meant, if one is near.
func nearest(name string, names []string) string {
	best := slices.MinFunc(names, func(a, b string) int { return distance(name, a) - distance(name, b) })
	if distance(name, best) > 3 {
		return "; there are " + strings.Join(names, ", ")
	}
	return "; did you mean " + best + "?"
}

// distance is the number of letters to insert, remove or change to make b of a
// (Levenshtein 1966).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
