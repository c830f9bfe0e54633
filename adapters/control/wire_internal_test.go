package control

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// FuzzRequest decodes a change of settings as it comes from a socket.
func FuzzRequest(f *testing.F) {
	f.Add([]byte(`{"name":"im","kind":"xmpp","max_sessions":5,"idle_timeout":"5m0s","options":{"a":"b"},"unset":["tls"]}`))
	f.Add([]byte(`{"name":"im"} x`))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := decodeRequest[ServiceChange](data)
		if err != nil {
			if !errors.Is(err, ErrOtherVersion) {
				t.Errorf("decodeRequest = %v, want ErrOtherVersion", err)
			}
			return
		}
		once, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		again, err := decodeRequest[ServiceChange](once)
		if err != nil {
			t.Fatalf("decode what was encoded: %v", err)
		}
		if twice, err := json.Marshal(again); err != nil || string(twice) != string(once) {
			t.Errorf("encoded again = %s, %v; want %s", twice, err, once)
		}
	})
}

// FuzzAnswer reads an answer as a client does.
func FuzzAnswer(f *testing.F) {
	for _, seed := range []string{
		`{"answer":{"position":1,"time":"2026-03-01T12:00:00Z","type":"x","fields":{}}}` + "\n" + `{"end":true}`,
		`{"error":{"text":"no","kinds":[{"code":"setting","data":{"Setting":"kind"}},{"code":"unknown-service"},{"code":"?"}]}}`,
		`{"error":{"text":"no","kinds":[{"code":"setting","data":5}]}}`,
		`{}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c := &Client{kinds: kindsAnd(nil)}
		lines := json.NewDecoder(strings.NewReader(text))
		for range len(text) + 1 {
			var row AuditRow
			more, err := c.next(context.Background(), lines, &row)
			if err != nil && more {
				t.Fatal("an error and more to come")
			}
			if err != nil && err.Error() == "" && !strings.Contains(text, "error") {
				t.Error("an error without a word")
			}
			if !more {
				return
			}
		}
		t.Error("an answer without an end")
	})
}

func TestErrorCodesAreUnique(t *testing.T) {
	var codes []string
	for _, k := range standard {
		codes = append(codes, k.code)
	}
	slices.Sort(codes)
	if unique := slices.Compact(slices.Clone(codes)); len(unique) != len(codes) {
		t.Errorf("codes = %v, want each once", codes)
	}
}

// TestAnswerIsHeldBackOnlyForAMoment is about a line that nothing follows.
func TestAnswerIsHeldBackOnlyForAMoment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		flushes := 0
		a := &answer{w: &strings.Builder{}, flush: func() error { flushes++; return nil }}
		for range 100 {
			if err := a.send("x"); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(flushLatest)
		synctest.Wait()
		if flushes != 1 {
			t.Errorf("flushes after 100 lines and a moment = %d, want 1", flushes)
		}
		a.last(line{End: true})
	})
}
