package logtest

import (
	"testing"

	"rollcall/eventstore"
)

// Subject is the log under test, and what it claims.
type Subject struct {
	// Open gives a new, empty log. The suite closes it.
	Open func(t *testing.T) eventstore.Log
	// Reopen closes the log and opens it again as a new process would. It is nil
	// for a log that does not outlive its process.
	Reopen func(t *testing.T, log eventstore.Log) eventstore.Log
	// Others are more things that can befall the log without changing what it
	// holds, by name. Each gives the log to go on with.
	Others map[string]func(t *testing.T, log eventstore.Log) eventstore.Log
}

// Run runs the suite.
func Run(t *testing.T, subject Subject) {
	tests := []struct {
		name string
		run  func(*testing.T, eventstore.Log)
	}{
		{"empty", testEmpty},
		{"read from any position", testReadFrom},
		{"read ends where it began", testReadEnds},
		{"conflict", testConflict},
		{"refusal", testRefusal},
		{"side records", testSides},
		{"side records are copies", testSideCopies},
		{"context", testContext},
		{"one of many appenders wins", testRace},
		{"readers see whole batches", testWholeBatches},
		{"follow while others append", testFollow},
		{"follow from the future", testFollowAhead},
		{"follow ends", testFollowEnds},
		{"close", testClose},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			log := subject.Open(t)
			t.Cleanup(func() { log.Close() })
			test.run(t, log)
		})
	}
	t.Run("model", func(t *testing.T) { testModel(t, subject) })
	if subject.Reopen != nil {
		t.Run("reopen", func(t *testing.T) { testReopen(t, subject) })
	}
}
