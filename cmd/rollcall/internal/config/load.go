package config

import (
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"regexp"

	"github.com/go-viper/mapstructure/v2"
	"github.com/knadh/koanf/maps"
	"github.com/knadh/koanf/v2"
)

// delimiter parts the names of a key.
const delimiter = "."

// Sources are the layers over the defaults.
type Sources struct {
	// File is the path of a TOML file; none if empty.
	File string
	// Env is the environment, as os.Environ gives it.
	Env []string
	// Flags are the flags that were given.
	Flags []Flag
}

// Flag is a flag that sets the setting of a key.
type Flag struct{ Name, Key, Value string }

// Load reads the settings. What cannot be used is an *[Error].
func Load(s Sources) (Config, error) {
	cfg := Default()
	k := koanf.New(delimiter)
	if s.File != "" {
		values, err := readFile(s.File)
		if err != nil {
			return Config{}, err
		}
		if err := k.Load(layer(values), nil); err != nil {
			return Config{}, fmt.Errorf("%s: %w", s.File, err)
		}
	}
	variables, err := environment(s.Env)
	if err != nil {
		return Config{}, err
	}
	for _, values := range []map[string]given{variables, flags(s.Flags)} {
		if err := loadGiven(k, values); err != nil {
			return Config{}, err
		}
	}
	if err := decode(k, &cfg); err != nil {
		return Config{}, err
	}
	return cfg, nil
}

// given is a value outside of a file, with the place where it was given.
type given struct{ value, where string }

func flags(set []Flag) map[string]given {
	values := make(map[string]given)
	for _, f := range set {
		values[f.Key] = given{f.Value, "--" + f.Name}
	}
	return values
}

// loadGiven checks each value by itself, so that its error can name it, and then
// lays them all over k.
func loadGiven(k *koanf.Koanf, values map[string]given) error {
	all := make(map[string]any)
	for key, g := range values {
		if err := decodeOne(key, g.value); err != nil {
			return &Error{Where: g.where, Problem: problemOf(err)}
		}
		all[key] = g.value
	}
	return k.Load(layer(maps.Unflatten(all, delimiter)), nil)
}

// decodeOne tells what is wrong with one value by itself.
func decodeOne(key string, value any) error {
	k := koanf.New(delimiter)
	if err := k.Load(layer(maps.Unflatten(map[string]any{key: value}, delimiter)), nil); err != nil {
		return err
	}
	return decode(k, new(Config))
}

func decode(k *koanf.Koanf, into *Config) error {
	return k.UnmarshalWithConf("", into, koanf.UnmarshalConf{DecoderConfig: &mapstructure.DecoderConfig{
		DecodeHook: mapstructure.ComposeDecodeHookFunc(
			mapstructure.StringToWeakSliceHookFunc(","), mapstructure.TextUnmarshallerHookFunc()),
		ErrorUnused:      true,
		WeaklyTypedInput: true,
		TagName:          "koanf",
		Result:           into,
	}})
}

// problemOf gives the innermost cause, without the library's words around it.
func problemOf(err error) string {
	for inner := err; inner != nil; inner = errors.Unwrap(inner) {
		err = inner
	}
	return quotedKey.ReplaceAllString(err.Error(), "")
}

// quotedKey is how the library names the key in front of a problem.
var quotedKey = regexp.MustCompile(`^'[^']*' `)

// Keys gives the key of every setting.
func Keys() []string { return keysOf(reflect.TypeFor[Config](), "") }

var textUnmarshaler = reflect.TypeFor[encoding.TextUnmarshaler]()

func keysOf(t reflect.Type, prefix string) []string {
	var keys []string
	for field := range t.Fields() {
		key := prefix + field.Tag.Get("koanf")
		if field.Type.Kind() == reflect.Struct && !reflect.PointerTo(field.Type).Implements(textUnmarshaler) {
			keys = append(keys, keysOf(field.Type, key+delimiter)...)
			continue
		}
		keys = append(keys, key)
	}
	return keys
}

// layer is a nested map as koanf takes it.
type layer map[string]any

func (l layer) Read() (map[string]any, error) { return l, nil }

func (l layer) ReadBytes() ([]byte, error) { return nil, errors.New("a layer has no text") }
