package codec_test

import (
	"bytes"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protowire"

	"rollcall/domain"
	"rollcall/eventstore"
	"rollcall/eventstore/codec"
)

// blockOf puts stored records into a block that begins at position at.
func blockOf(records ...[]byte) []byte {
	b := protowire.AppendTag(nil, 1, protowire.VarintType)
	b = protowire.AppendVarint(b, at)
	b = protowire.AppendTag(b, 2, protowire.VarintType)
	b = protowire.AppendVarint(b, uint64(before.UnixMilli()))
	for _, r := range records {
		b = protowire.AppendTag(b, 3, protowire.BytesType)
		b = protowire.AppendBytes(b, r)
	}
	return b
}

// story gives records from position 1 on, one of each golden event that can
// stand there, at times that move by leaps.
func story() []domain.Record {
	events := []domain.Event{
		&domain.BrokerStarted{Version: "test"},
		&domain.ServiceConfigured{Service: 2, Name: "local", Settings: domain.Settings{Kind: domain.KindLocal}},
		&domain.PersonPermitted{Person: 3, Service: 2},
		&domain.EnrolmentOffered{Person: 3, ValidFor: time.Minute},
		&domain.DeviceEnrolled{Person: 3, Offer: 4},
		&domain.LoginRequested{Device: 5, Service: 2, Account: 3},
		&domain.LoginAdmitted{Session: 6, Seats: 1},
		&domain.LoginAccepted{Session: 6},
		&domain.SessionEnded{Session: 6, Cause: domain.EndLogout},
	}
	records := make([]domain.Record, len(events))
	at := before
	for i, e := range events {
		at = at.Add(time.Duration(i*i) * time.Millisecond)
		records[i] = domain.Record{Position: domain.Position(i + 1), Time: at, Event: e}
	}
	return records
}

func mustBlock(t *testing.T, after domain.Position, before time.Time, records []domain.Record) codec.Block {
	t.Helper()
	b, err := codec.AppendBlock(nil, after, before, records)
	if err != nil {
		t.Fatal(err)
	}
	block, err := codec.OpenBlock(b)
	if err != nil {
		t.Fatal(err)
	}
	return block
}

func collect(t *testing.T, block codec.Block) (records []domain.Record) {
	t.Helper()
	for r, err := range block.Records() {
		if err != nil {
			t.Fatal(err)
		}
		records = append(records, r)
	}
	return records
}

// A record's bytes are the same in whichever block it lies.
func TestRecordBytesDoNotDependOnTheBlock(t *testing.T) {
	records := story()
	var whole [][]byte
	for raw := range mustBlock(t, 0, time.Time{}, records).Raw() {
		whole = append(whole, raw)
	}
	for cut := 1; cut < len(records); cut++ {
		var parts [][]byte
		for raw := range mustBlock(t, 0, time.Time{}, records[:cut]).Raw() {
			parts = append(parts, raw)
		}
		behind := mustBlock(t, domain.Position(cut), records[cut-1].Time, records[cut:])
		for raw := range behind.Raw() {
			parts = append(parts, raw)
		}
		if !slices.EqualFunc(whole, parts, bytes.Equal) {
			t.Errorf("cut behind %d: other bytes", cut)
		}
		if got := behind.First(); got != domain.Position(cut+1) {
			t.Errorf("First() = %d, want %d", got, cut+1)
		}
		if diff := cmp.Diff(records[cut:], collect(t, behind)); diff != "" {
			t.Errorf("cut behind %d (-want +got):\n%s", cut, diff)
		}
	}
}

// A record of a newer version is told as such, and those behind it are read.
func TestUnknownEvent(t *testing.T) {
	known := encodeOne(t, goldenRecord(&domain.BrokerStopped{}))
	newer := protowire.AppendTag(nil, 1, protowire.VarintType)
	newer = protowire.AppendVarint(newer, 5)
	newer = protowire.AppendTag(newer, 4711, protowire.BytesType)
	newer = protowire.AppendString(newer, "something new")
	block, err := codec.OpenBlock(blockOf(newer, known))
	if err != nil {
		t.Fatal(err)
	}
	var errs []error
	var got []domain.Record
	for r, err := range block.Records() {
		if err != nil {
			errs = append(errs, err)
			continue
		}
		got = append(got, r)
	}
	want := &codec.UnknownEventError{Position: at, Time: before.Add(5 * time.Millisecond), Number: 4711, Raw: newer}
	if diff := cmp.Diff([]error{want}, errs); diff != "" {
		t.Errorf("errors (-want +got):\n%s", diff)
	}
	behind := []domain.Record{{Position: at + 1, Time: before.Add(255 * time.Millisecond), Event: &domain.BrokerStopped{}}}
	if diff := cmp.Diff(behind, got); diff != "" {
		t.Errorf("records behind it (-want +got):\n%s", diff)
	}
}

// A field that a newer version added to a known event is passed over.
func TestUnknownField(t *testing.T) {
	body := protowire.AppendTag(nil, 1, protowire.BytesType)
	body = protowire.AppendString(body, "v9")
	body = protowire.AppendTag(body, 99, protowire.Fixed64Type)
	body = protowire.AppendFixed64(body, 1)
	raw := protowire.AppendTag(nil, 16, protowire.BytesType)
	raw = protowire.AppendBytes(raw, body)
	raw = protowire.AppendTag(raw, 500, protowire.VarintType)
	raw = protowire.AppendVarint(raw, 1)
	got, err := decodeOne(raw)
	if err != nil {
		t.Fatal(err)
	}
	want := domain.Record{Position: at, Time: before, Event: &domain.BrokerStarted{Version: "v9"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// field gives a number as it is stored, and event an event.
func field(number protowire.Number, v uint64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(nil, number, protowire.VarintType), v)
}

func event(number protowire.Number, body []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(nil, number, protowire.BytesType), body)
}

func TestMalformed(t *testing.T) {
	stopped := event(17, nil)
	tests := map[string][]byte{
		"nothing":                      nil,
		"a time only":                  field(1, 7),
		"two events":                   append(slices.Clone(stopped), stopped...),
		"cut in a tag":                 {0x80},
		"cut in an event":              {0x8a, 0x01, 5, 1},
		"an event as a number":         field(4, 1),
		"a time past 9999":             append(field(1, 253402300800000), stopped...),
		"a time past 9999 by addition": append(field(1, 253402300799999), stopped...),
		"a reference to none":          event(4, field(1, at)),
		"a reference before the log":   event(4, field(1, at+1)),
		"a code above a byte":          event(5, field(2, 256)),
		"seats above 32 bits":          event(3, field(2, 1<<32)),
		"a duration too long":          event(6, field(2, protowire.EncodeZigZag(9223372036855))),
		"a truth of 2":                 event(9, field(4, 2)),
		"a version not in UTF-8":       event(16, event(1, []byte{0xff})),
		"a version as a number":        event(16, field(1, 1)),
	}
	for name, raw := range tests {
		t.Run(name, func(t *testing.T) {
			r, err := decodeOne(raw)
			var malformed *codec.MalformedError
			if !errors.As(err, &malformed) || malformed.Position != at {
				t.Errorf("decoding %x = %v, %v; want a MalformedError at %d", raw, r, err, at)
			}
		})
	}
}

func TestOpenBlockRefuses(t *testing.T) {
	tests := map[string][]byte{
		"nothing":         nil,
		"no first":        {0x10, 1},
		"first zero":      {0x08, 0},
		"first too far":   append([]byte{0x08}, protowire.AppendVarint(nil, 1<<63)...),
		"a time in front": {0x08, 1, 0x10, 1},
		"cut":             {0x08},
		"a late time":     append([]byte{0x08, 1, 0x10}, protowire.AppendVarint(nil, 253402300800000)...),
		"a text as first": {0x0a, 1, 'x'},
	}
	for name, b := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := codec.OpenBlock(b)
			if malformed := (*codec.MalformedError)(nil); !errors.As(err, &malformed) {
				t.Errorf("OpenBlock(%x) = %v, want a MalformedError", b, err)
			}
		})
	}
}

func TestAppendBatchRefuses(t *testing.T) {
	record := func(change func(*domain.Record)) domain.Batch {
		r := goldenRecord(&domain.LoginAccepted{Session: 990})
		change(&r)
		return domain.Batch{Records: []domain.Record{r}}
	}
	event := func(e domain.Event) domain.Batch { return record(func(r *domain.Record) { r.Event = e }) }
	side := func(p domain.Position, kind domain.SideKind, size int) domain.Batch {
		return domain.Batch{Sides: []domain.Side{{SideKey: domain.SideKey{Position: p, Kind: kind}, Value: make([]byte, size)}}}
	}
	tests := map[string]domain.Batch{
		"a gap":               record(func(r *domain.Record) { r.Position = at + 1 }),
		"a position again":    record(func(r *domain.Record) { r.Position = at - 1 }),
		"a time before":       record(func(r *domain.Record) { r.Time = before.Add(-time.Millisecond) }),
		"a fine time":         record(func(r *domain.Record) { r.Time = r.Time.Add(time.Microsecond) }),
		"a local time":        record(func(r *domain.Record) { r.Time = r.Time.In(time.FixedZone("", 3600)) }),
		"a time past 9999":    record(func(r *domain.Record) { r.Time = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) }),
		"no event":            event(nil),
		"a later session":     event(&domain.LoginAccepted{Session: at + 1}),
		"a fine duration":     event(&domain.CoverageLost{Session: 5, Silent: time.Microsecond}),
		"a text not in UTF-8": event(&domain.BrokerStarted{Version: "\xff"}),
		"an option not in UTF-8": event(&domain.ServiceConfigured{Settings: domain.Settings{
			Options: map[string]string{"a": "\xff"},
		}}),
		"a side record of no kind":      side(1, 0, 1),
		"a side record under none":      side(0, 1, 1),
		"a side record past the end":    side(at, 1, 1),
		"a side record that is too big": side(1, 1, codec.MaxSide+1),
	}
	for name, batch := range tests {
		t.Run(name, func(t *testing.T) {
			b, err := codec.AppendBatch([]byte("x"), at-1, before, batch)
			if refused := (*eventstore.BatchError)(nil); !errors.As(err, &refused) || string(b) != "x" {
				t.Errorf("AppendBatch = %x, %v; want x and a BatchError", b, err)
			}
		})
	}
}

func TestAppendBlockRefusesTooMuch(t *testing.T) {
	name := string(bytes.Repeat([]byte("v"), codec.MaxBlock/2))
	records := []domain.Record{
		{Position: 1, Time: before, Event: &domain.BrokerStarted{Version: name}},
		{Position: 2, Time: before, Event: &domain.BrokerStarted{Version: name}},
	}
	_, err := codec.AppendBlock(nil, 0, time.Time{}, records)
	if refused := (*eventstore.BatchError)(nil); !errors.As(err, &refused) {
		t.Errorf("AppendBlock = %v, want a BatchError", err)
	}
}
