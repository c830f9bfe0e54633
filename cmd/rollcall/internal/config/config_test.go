package config_test

import (
	"errors"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/adapters/dispatcher"
	"rollcall/cmd/rollcall/internal/config"
)

// pin is that of a key whose hash is zero.
var pin = dispatcher.Pin{}.String()

var prefixes = cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "rollcall.toml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestNothingGivenIsTheDefault(t *testing.T) {
	got, err := config.Load(config.Sources{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(config.Default(), got, prefixes); diff != "" {
		t.Error(diff)
	}
}

func TestLayersLieOverEachOther(t *testing.T) {
	got, err := config.Load(config.Sources{
		File: write(t, "listen = 'file:1'\ncollaboration = 'file:2'\nremote-dispatchers = true\n[timing]\nstatus-interval = '10s'\ncoverage-grace = '2s'\n[dispatcher]\nservices = ['"+pin+"']\n"),
		Env: []string{
			"ROLLCALL_COLLABORATION=env:2", "ROLLCALL_TIMING_STATUS_INTERVAL=20s", "ROLLCALL_LOG_LEVEL=debug",
			"ROLLCALL_CONFIG=elsewhere", "ROLLCALL_IDENTITY=me", "ROLLCALL_SERVICE_HOST=10.0.0.1", "ROLLCALL_PORT_3101_TCP=tcp://10.0.0.1:3101", "PATH=/bin", "ROLLCALL_DISPATCHER_TRUSTED=10.0.0.0/8,fd00::/8",
			"ROLLCALL_DISPATCHERS=" + pin,
		},
		Flags: []config.Flag{{Name: "data", Key: "data", Value: "flag"}, {Name: "status", Key: "timing.status-interval", Value: "30s"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := config.Default()
	want.Data = "flag"
	want.Listen = "file:1"
	want.Collaboration = "env:2"
	want.RemoteDispatchers = true
	want.Timing.StatusInterval = config.Duration{Duration: 30 * time.Second}
	want.Timing.CoverageGrace = config.Duration{Duration: 2 * time.Second}
	want.Log.Level.Level = slog.LevelDebug
	want.Dispatcher.Trusted = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	want.Dispatcher.Services = []config.Pin{{Pin: dispatcher.Pin{}}}
	want.Dispatchers = want.Dispatcher.Services
	if diff := cmp.Diff(want, got, prefixes); diff != "" {
		t.Error(diff)
	}
}

func TestBadInput(t *testing.T) {
	for _, test := range []struct {
		name, file string
		env        string
		flags      []config.Flag
		want       []string // parts of the message
	}{
		{name: "unknown key", file: "data = 'x'\n\nlistne = ':1'\n", want: []string{"rollcall.toml:3: listne: ", "did you mean listen?"}},
		{name: "unknown key in a table", file: "[timing]\nstatus-intervall = '1s'\n", want: []string{"rollcall.toml:2: timing.status-intervall: ", "did you mean timing.status-interval?"}},
		{name: "unknown key near nothing", file: "maximum-of-everything = 3\n", want: []string{"rollcall.toml:1: ", "there are data, listen"}},
		{name: "bad duration", file: "[timing]\ncoverage-grace = '10'\n", want: []string{"rollcall.toml:2: timing.coverage-grace: ", `"10" is not a duration`, `"90s"`}},
		{name: "duration as a number", file: "[timing]\ncoverage-grace = 10\n", want: []string{"rollcall.toml:2: timing.coverage-grace: "}},
		{name: "the place is that of the problem", file: "[timing]\nstatus-interval = 5\n[router]\nburst = 'many'\n", want: []string{"rollcall.toml:2: timing.status-interval: \"5\" is not a duration"}},
		{name: "zero duration", file: "[timing]\ncoverage-grace = '0s'\n", want: []string{"rollcall.toml:2: ", "above zero"}},
		{name: "no TOML", file: "listen = \n", want: []string{"rollcall.toml:1: "}},
		{name: "wrong type", file: "listen = 3101\n", want: []string{"rollcall.toml:1: listen: this is not text; write it in quotes"}},
		{name: "text as a truth", file: "remote-dispatchers = 'yes'\n", want: []string{"rollcall.toml:1: remote-dispatchers: this is not true or false"}},
		{name: "text as a number", file: "[router]\nburst = 'many'\n", want: []string{"rollcall.toml:2: router.burst: this is not a whole number"}},
		{name: "unknown variable", env: "ROLLCALL_LISTNE=:1", want: []string{"ROLLCALL_LISTNE: there is no such variable; did you mean ROLLCALL_LISTEN?"}},
		{name: "unknown variable near nothing", env: "ROLLCALL_STATUS_INTERVAL=1s", want: []string{"ROLLCALL_STATUS_INTERVAL: ", "ROLLCALL_TIMING_STATUS_INTERVAL"}},
		{name: "bad pin", file: "\n\ndispatchers = ['sha256:abc']\n", want: []string{"rollcall.toml:3: dispatchers: ", "copy it whole"}},
		{name: "bad network", file: "[router]\nexempt = ['10.0.0.0']\n", want: []string{"rollcall.toml:2: router.exempt: "}},
		{name: "unknown level", file: "[log]\nlevel = 'loud'\n", want: []string{"rollcall.toml:2: log.level: ", "debug, info, warn, error"}},
		{name: "bad duration in a variable", env: "ROLLCALL_TIMING_UPSTREAM_TIMEOUT=soon", want: []string{"ROLLCALL_TIMING_UPSTREAM_TIMEOUT: ", `"soon" is not a duration`}},
		{name: "bad bool in a variable", env: "ROLLCALL_REMOTE_DISPATCHERS=perhaps", want: []string{"ROLLCALL_REMOTE_DISPATCHERS: "}},
		{name: "bad flag", flags: []config.Flag{{"log-format", "log.format", "xml"}}, want: []string{"--log-format: ", "text, json"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := config.Sources{Env: []string{test.env}, Flags: test.flags}
			if test.file != "" {
				s.File = write(t, test.file)
			}
			_, err := config.Load(s)
			var bad *config.Error
			if !errors.As(err, &bad) {
				t.Fatalf("Load = %v, want an *Error", err)
			}
			for _, part := range test.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("error is %q, want %q in it", err, part)
				}
			}
		})
	}
}

func TestMissingFile(t *testing.T) {
	_, err := config.Load(config.Sources{File: filepath.Join(t.TempDir(), "none.toml")})
	var bad *config.Error
	if !errors.As(err, &bad) || !strings.Contains(err.Error(), "none.toml: cannot read the configuration: no such file") {
		t.Errorf("Load = %v", err)
	}
}

func FuzzFile(f *testing.F) {
	f.Add("listen = ':1'\n[timing]\nstatus-interval = '1s'\n")
	f.Add("[[timing]]\n")
	f.Add("timing = 3\nlistne.x = 4\n")
	f.Fuzz(func(t *testing.T, text string) {
		_, err := config.Load(config.Sources{File: write(t, text)})
		var bad *config.Error
		if err != nil && !errors.As(err, &bad) {
			t.Errorf("Load(%q) = %v, which is no *Error", text, err)
		}
	})
}
