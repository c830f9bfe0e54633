package control_test

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/adapters/control"
	"rollcall/domain"
)

func TestServiceChangeApply(t *testing.T) {
	before := func() domain.Settings {
		return domain.Settings{
			Kind: domain.KindXMPP, Address: "h:1", MaxSessions: domain.Some[uint32](5), ProtocolTotal: domain.Some[uint32](9),
			IdleTimeout: domain.Some(time.Minute), InactivityTimeout: domain.Some(time.Hour), Evict: domain.EvictFewest,
			Options: map[string]string{"tls": "direct", "domain": "d"},
		}
	}
	for name, c := range map[string]struct {
		change control.ServiceChange
		want   func(*domain.Settings)
	}{
		"nothing":      {control.ServiceChange{}, func(*domain.Settings) {}},
		"one setting":  {control.ServiceChange{MaxSessions: new(uint32(7))}, func(s *domain.Settings) { s.MaxSessions = domain.Some[uint32](7) }},
		"zero is kept": {control.ServiceChange{MaxSessions: new(uint32(0))}, func(s *domain.Settings) { s.MaxSessions = domain.Some[uint32](0) }},
		"an option":    {control.ServiceChange{Options: map[string]string{"tls": "none"}}, func(s *domain.Settings) { s.Options["tls"] = "none" }},
		"unset": {
			control.ServiceChange{Unset: []string{"address", "max-sessions", "protocol-total", "idle-timeout", "inactivity-timeout", "evict", "tls"}},
			func(s *domain.Settings) {
				*s = domain.Settings{Kind: domain.KindXMPP, Options: map[string]string{"domain": "d"}}
			},
		},
		"unset and set": {
			control.ServiceChange{Unset: []string{"idle-timeout"}, Evict: new("all"), IdleTimeout: new(control.Duration(time.Second))},
			func(s *domain.Settings) { s.Evict, s.IdleTimeout = domain.EvictAll, domain.Some(time.Second) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			given, want := before(), before()
			c.want(&want)
			got, err := c.change.Apply(given)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("Apply (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(before(), given); diff != "" {
				t.Errorf("Apply has changed its argument (-before +after):\n%s", diff)
			}
		})
	}
}

func TestServiceChangeRefused(t *testing.T) {
	for setting, change := range map[string]control.ServiceChange{
		"evict":  {Evict: new("somebody")},
		"colour": {Unset: []string{"colour"}},
	} {
		_, err := change.Apply(domain.Settings{Kind: domain.KindLocal})
		var e *domain.SettingError
		if !errors.As(err, &e) || e.Setting != setting {
			t.Errorf("Apply(bad %s) = %v, want a *SettingError that names it", setting, err)
		}
	}
	if got, err := (control.ServiceChange{Options: map[string]string{"a": "b"}}).Apply(domain.Settings{}); err != nil || got.Options["a"] != "b" {
		t.Errorf("Apply to a new service = %+v, %v", got, err)
	}
}

func TestServiceOf(t *testing.T) {
	log := domain.LogID(name)
	got := control.ServiceOf(log, domain.Service{
		ID: 4, Name: "im", Seats: 3, Total: domain.Some[uint32](9),
		Settings: domain.Settings{Kind: domain.KindXMPP, Evict: domain.EvictFewest, IdleTimeout: domain.Some(time.Minute)},
	})
	want := control.Service{
		ID: 4, UUID: log.UUID(4), Name: "im", Kind: domain.KindXMPP, Total: new(uint32(9)),
		IdleTimeout: new(control.Duration(time.Minute)), Evict: "fewest", Seats: 3,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("ServiceOf (-want +got):\n%s", diff)
	}
}

func TestDurationIsText(t *testing.T) {
	data, err := json.Marshal(control.Duration(90 * time.Second))
	if err != nil || string(data) != `"1m30s"` {
		t.Errorf("Marshal = %s, %v; want \"1m30s\"", data, err)
	}
	var d control.Duration
	if err := json.Unmarshal([]byte(`"soon"`), &d); err == nil {
		t.Error("Unmarshal of \"soon\" succeeded")
	}
}
