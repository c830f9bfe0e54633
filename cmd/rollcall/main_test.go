package main

import (
	"os"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// raceOptions keep the race detector from sleeping for a second at the end of
// every process, of which there are hundreds.
const raceOptions = "atexit_sleep_ms=10 halt_on_error=1"

// TestMain lets the test binary play the program: scripts and end-to-end tests
// start it as real processes, which a test may have killed at a place of its choice.
func TestMain(m *testing.M) {
	os.Setenv("GORACE", raceOptions)
	testscript.Main(m, map[string]func(){"rollcall": func() {
		place := os.Getenv(killAtVariable)
		for _, name := range testVariables {
			os.Unsetenv(name)
		}
		if place != "" {
			mainKilledAt(place)
		}
		main()
	}, "crowd": playCrowd})
}

// testVariables are the tests' own: the program refuses variables that it does
// not know.
var testVariables = []string{"ROLLCALL_REQUIRE_PEERS", "ROLLCALL_CRASH_ROUNDS", "ROLLCALL_TORTURE", "ROLLCALL_BENCH_DEVICES", killAtVariable}

// scriptsTimeout bounds the scripts: what hangs is shown, not waited for.
const scriptsTimeout = 90 * time.Second

// TestScripts runs one script for each command, wrong use included.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		Cmds:                scriptCommands,
		Setup: func(env *testscript.Env) error {
			env.Values[runningKey{}] = new(stack)
			env.Setenv("GORACE", raceOptions)
			env.Setenv("ROLLCALL_DATA", env.WorkDir+"/data")
			env.Setenv("HOME", env.WorkDir)
			env.Setenv("XDG_CONFIG_HOME", env.WorkDir+"/config")
			return nil
		},
		Deadline:      time.Now().Add(scriptsTimeout),
		UpdateScripts: os.Getenv("UPDATE_SCRIPTS") != "",
	})
}
