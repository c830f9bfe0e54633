package codec_test

import (
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/domain"
	"rollcall/eventstore/codec"
)

var update = flag.Bool("update", false, "write the golden files that are missing; the others are kept forever")

// at is the position that every golden record stands at, and before the time in
// front of it.
const at = 1000

var before = time.Date(2026, 3, 4, 5, 6, 7, 89e6, time.UTC)

// goldens are the events whose stored form is kept, each under the name of its
// file. A name is an event's printed name, with what is special about it behind
// a dot. When an event gets a field, it gets one more golden; none is changed.
var goldens = map[string]domain.Event{
	"broker-started": &domain.BrokerStarted{Version: "v1.2.3"},
	"broker-stopped": &domain.BrokerStopped{},
	"service-configured": &domain.ServiceConfigured{
		Service: at,
		Name:    "messenger",
		Settings: domain.Settings{
			Kind:              domain.KindGroupWise,
			Address:           "im.example.net:8300",
			MaxSessions:       domain.Some[uint32](250),
			ProtocolTotal:     domain.Some[uint32](4000),
			IdleTimeout:       domain.Some(10 * time.Minute),
			InactivityTimeout: domain.Some(24 * time.Hour),
			Evict:             domain.EvictFewest,
			Options:           map[string]string{"tls": "required", "ca-file": "/etc/ssl/im.pem", "empty": ""},
		},
		Total: domain.Some[uint32](4000),
	},
	"service-configured.bare": &domain.ServiceConfigured{
		Service:  7,
		Name:     "local",
		Settings: domain.Settings{Kind: domain.KindLocal},
	},
	"service-removed":         &domain.ServiceRemoved{Service: 7},
	"person-permitted":        &domain.PersonPermitted{Person: at, Service: 7},
	"person-barred":           &domain.PersonBarred{Person: 40, Account: 41},
	"person-barred.all":       &domain.PersonBarred{Person: 40},
	"enrolment-offered":       &domain.EnrolmentOffered{Person: 40, ValidFor: 15 * time.Minute},
	"device-enrolled":         &domain.DeviceEnrolled{Person: 40, Offer: 998},
	"device-revoked":          &domain.DeviceRevoked{Device: 50},
	"login-requested":         &domain.LoginRequested{Device: 50, Service: 7, Account: 41},
	"login-requested.unknown": &domain.LoginRequested{Device: 50},
	"login-admitted": &domain.LoginAdmitted{
		Session:     997,
		Seats:       250,
		Limit:       domain.Some[uint32](250),
		LongestIdle: domain.Some(90 * time.Second),
	},
	"login-admitted.no-limit": &domain.LoginAdmitted{Session: 999, Seats: 1},
	"login-accepted":          &domain.LoginAccepted{Session: 990},
	"login-rejected": &domain.LoginRejected{
		Session:     999,
		Code:        domain.RejectServerBusy,
		Seats:       250,
		Limit:       domain.Some[uint32](250),
		LongestIdle: domain.Some(1500 * time.Millisecond),
		RetryAfter:  domain.Some(30 * time.Second),
	},
	"login-rejected.bare": &domain.LoginRejected{Session: 999, Code: domain.RejectNotPermitted},
	"login-rejected.zero": &domain.LoginRejected{
		Session:     999,
		Code:        domain.RejectServerBusy,
		Seats:       1,
		Limit:       domain.Some[uint32](1),
		LongestIdle: domain.Some(time.Duration(0)),
		RetryAfter:  domain.Some(time.Second),
	},
	"login-rejected.idle-seats": &domain.LoginRejected{
		Session:     999,
		Code:        domain.RejectServerBusy,
		Seats:       252,
		Limit:       domain.Some[uint32](250),
		LongestIdle: domain.Some(11 * time.Minute),
		RetryAfter:  domain.Some(time.Second),
		IdleSeats:   2,
	},
	"login-rejected.queue": &domain.LoginRejected{
		Session:     999,
		Code:        domain.RejectServerBusy,
		Seats:       250,
		Limit:       domain.Some[uint32](250),
		LongestIdle: domain.Some(11 * time.Second),
		RetryAfter:  domain.Some(90 * time.Second),
		Queue:       domain.Some(90 * time.Second),
	},
	"coverage-lost":             &domain.CoverageLost{Session: 900, Silent: 10 * time.Second},
	"coverage-lost.clock-back":  &domain.CoverageLost{Session: 900, Silent: -2 * time.Millisecond},
	"coverage-regained":         &domain.CoverageRegained{Session: 900},
	"session-resumed":           &domain.SessionResumed{Session: 900, Fence: 3},
	"session-idled-out":         &domain.SessionIdledOut{Session: 500, For: 999, Idle: 11 * time.Minute, OutOfCoverage: true},
	"session-idled-out.covered": &domain.SessionIdledOut{Session: 500, For: 999, Idle: 10 * time.Minute},
	"session-ended.inactive":    &domain.SessionEnded{Session: 900, Cause: domain.EndInactive, Idle: domain.Some(24 * time.Hour)},
	"session-ended":             &domain.SessionEnded{Session: 900, Cause: domain.EndLogout},
}

func goldenRecord(e domain.Event) domain.Record {
	return domain.Record{Position: at, Time: before.Add(250 * time.Millisecond), Event: e}
}

func goldenFile(name string) string { return filepath.Join("testdata", name+".hex") }

// encodeOne gives the stored form of the record at position at.
func encodeOne(t testing.TB, r domain.Record) []byte {
	t.Helper()
	b, err := codec.AppendBlock(nil, r.Position-1, before, []domain.Record{r})
	if err != nil {
		t.Fatal(err)
	}
	block, err := codec.OpenBlock(b)
	if err != nil {
		t.Fatal(err)
	}
	for raw, err := range block.Raw() {
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	t.Fatal("the block is empty")
	return nil
}

// Every stored form that there has ever been means today what it meant then, and
// is what would be written today.
func TestGolden(t *testing.T) {
	for name, event := range goldens {
		t.Run(name, func(t *testing.T) {
			want := goldenRecord(event)
			encoded := encodeOne(t, want)
			stored := readGolden(t, name, encoded)
			if diff := cmp.Diff(hex.EncodeToString(stored), hex.EncodeToString(encoded)); diff != "" {
				t.Errorf("the stored form has changed (-golden +now):\n%s", diff)
			}
			got, err := decodeOne(stored)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("the golden record reads differently (-want +got):\n%s", diff)
			}
		})
	}
}

func readGolden(t *testing.T, name string, encoded []byte) []byte {
	t.Helper()
	b, err := os.ReadFile(goldenFile(name))
	if errors.Is(err, fs.ErrNotExist) && *update {
		b = fmt.Appendf(nil, "%x\n", encoded)
		err = os.WriteFile(goldenFile(name), b, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	stored, err := hex.DecodeString(strings.TrimSpace(string(b)))
	if err != nil {
		t.Fatal(err)
	}
	return stored
}

// Every event type has a golden of its plain name, and every golden file is
// looked at.
func TestGoldenIsComplete(t *testing.T) {
	for _, typ := range domain.EventTypes() {
		if e := goldens[typ.String()]; e == nil || e.Type() != typ {
			t.Errorf("%v has no golden", typ)
		}
	}
	files, err := filepath.Glob(goldenFile("*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden files: %v", err)
	}
	for _, f := range files {
		name := strings.TrimSuffix(filepath.Base(f), ".hex")
		if goldens[name] == nil {
			t.Errorf("%s is a golden that nothing reads", f)
		}
	}
}

// decodeOne decodes one stored record as the one at position at.
func decodeOne(raw []byte) (domain.Record, error) {
	block, err := codec.OpenBlock(blockOf(raw))
	if err != nil {
		return domain.Record{}, err
	}
	for r, err := range block.Records() {
		return r, err
	}
	return domain.Record{}, errors.New("the block is empty")
}
