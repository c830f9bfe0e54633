package config

import (
	"maps"
	"slices"
	"strings"
)

// EnvPrefix begins the name of every variable that is a setting.
const EnvPrefix = "ROLLCALL_"

// EnvName gives the variable for a key: ROLLCALL_TIMING_STATUS_INTERVAL for
// timing.status-interval.
func EnvName(key string) string {
	return EnvPrefix + strings.ToUpper(strings.NewReplacer(delimiter, "_", "-", "_").Replace(key))
}

// environment finds the settings among variables. A variable that begins like a
// setting's and is none is an *[Error]: it was probably meant to be one.
func environment(env []string) (map[string]given, error) {
	values := make(map[string]given)
	keys := keysByVariable()
	for _, pair := range env {
		name, value, _ := strings.Cut(pair, "=")
		if value == "" || !strings.HasPrefix(name, EnvPrefix) || besides(name) {
			continue // an empty one is as if it were not there
		}
		key, known := keys[name]
		if !known {
			return nil, &Error{Where: name, Problem: "there is no such variable" + nearest(name, slices.Sorted(maps.Keys(keys)))}
		}
		values[key] = given{value, name}
	}
	return values, nil
}

func keysByVariable() map[string]string {
	keys := make(map[string]string)
	for _, key := range Keys() {
		keys[EnvName(key)] = key
	}
	return keys
}

// besides tells whether a variable begins like those of the settings for another
// reason: two say where things are that are no settings, and Kubernetes makes some
// for a service that is called rollcall.
func besides(name string) bool {
	switch name {
	case "ROLLCALL_CONFIG", "ROLLCALL_IDENTITY", "ROLLCALL_PORT":
		return true
	}
	return strings.HasPrefix(name, "ROLLCALL_PORT_") || strings.HasPrefix(name, "ROLLCALL_SERVICE_")
}
