package memlog_test

import (
	"testing"

	"github.com/google/uuid"
	"go.uber.org/goleak"

	"rollcall/domain"
	"rollcall/eventstore"
	"rollcall/eventstore/logtest"
	"rollcall/eventstore/memlog"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestLog(t *testing.T) {
	logtest.Run(t, logtest.Subject{Open: func(*testing.T) eventstore.Log { return memlog.New() }})
}

func TestNewWithID(t *testing.T) {
	id := domain.LogID(uuid.MustParse("6f1c2a52-6d3e-4b1a-9d0e-0a6f5f6c7d81"))
	if got := memlog.NewWithID(id).ID(); got != id {
		t.Errorf("ID() = %v, want %v", got, id)
	}
}
