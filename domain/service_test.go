package domain_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"rollcall/domain"
)

func TestConfigureService(t *testing.T) {
	changed := domain.Settings{Kind: domain.KindLocal, Address: "im.example:5222", MaxSessions: some[uint32](5)}
	override := domain.Settings{Kind: domain.KindXMPP, ProtocolTotal: some[uint32](7)}
	run(t, []scenario{
		{
			name: "a new service", settings: open, when: domain.ConfigureService{Name: "chat", Settings: changed, DefaultTotal: limited(10)},
			then: []domain.Event{&domain.ServiceConfigured{Service: 11, Name: "chat", Settings: changed, Total: limited(10)}},
		},
		{
			name: "a live one keeps its id", settings: open, when: domain.ConfigureService{Name: "im", Settings: changed},
			then: []domain.Event{&domain.ServiceConfigured{Service: im, Name: "im", Settings: changed}},
		},
		{
			name: "an override of the protocol's total", settings: open, when: domain.ConfigureService{Name: "chat", Settings: override, DefaultTotal: limited(10)},
			then: []domain.Event{&domain.ServiceConfigured{Service: 11, Name: "chat", Settings: override, Total: limited(7)}},
		},
		{
			name: "a removed one is a new service", settings: open, given: steps(&domain.ServiceRemoved{Service: im}),
			when: domain.ConfigureService{Name: "im", Settings: open},
			then: []domain.Event{&domain.ServiceConfigured{Service: 12, Name: "im", Settings: open}},
		},
		{name: "remove an unknown one", settings: open, when: domain.RemoveService{Service: 99}, err: domain.ErrUnknownService},
		{name: "remove twice", settings: open, given: steps(&domain.ServiceRemoved{Service: im}), when: domain.RemoveService{Service: im}, err: domain.ErrUnknownService},
	})
}

func TestSettingsThatAreRefused(t *testing.T) {
	with := func(change func(*domain.Settings)) domain.Settings {
		s := domain.Settings{Kind: domain.KindLocal}
		change(&s)
		return s
	}
	timeout := func(d time.Duration) domain.Settings {
		return with(func(s *domain.Settings) { s.IdleTimeout = some(d) })
	}
	cases := []struct {
		name     string
		service  domain.ServiceName
		settings domain.Settings
		setting  string
		says     string
	}{
		{"no name", "", open, "name", "a-z, 0-9"},
		{"upper case", "IM", open, "name", `"IM"`},
		{"a space", "i m", open, "name", `"i m"`},
		{"a slash", "a/b", open, "name", `"a/b"`},
		{"not ASCII", "é", open, "name", `"é"`},
		{"not UTF-8", "a\xff", open, "name", `"a\xff"`},
		{"a leading dot", ".im", open, "name", "beginning with"},
		{"too long", domain.ServiceName(strings.Repeat("a", 65)), open, "name", "up to 64"},
		{"no kind", "im", domain.Settings{}, "kind", "missing"},
		{"another kind than before", "im", with(func(s *domain.Settings) { s.Kind = domain.KindXMPP }), "kind", "remove the service"},
		{"a maximum of zero", "im", with(func(s *domain.Settings) { s.MaxSessions = some[uint32](0) }), "max-sessions", "unset it instead"},
		{"a total of zero", "im", with(func(s *domain.Settings) { s.ProtocolTotal = some[uint32](0) }), "protocol-total", "unset it instead"},
		{"an idle timeout of zero", "im", timeout(0), "idle-timeout", "unset it instead"},
		{"an inactivity timeout of zero", "im", with(func(s *domain.Settings) { s.InactivityTimeout = some[time.Duration](0) }), "inactivity-timeout", "unset it instead"},
		{"a negative timeout", "im", timeout(-time.Minute), "idle-timeout", "at least 1s"},
		{"a timeout below a second", "im", timeout(999 * time.Millisecond), "idle-timeout", "at least 1s"},
		{"a timeout below a millisecond", "im", timeout(time.Microsecond), "idle-timeout", "at least 1s"},
		{"a timeout finer than a millisecond", "im", timeout(time.Second + time.Microsecond), "idle-timeout", "whole milliseconds"},
		{"an unknown way to make room", "im", with(func(s *domain.Settings) { s.Evict = 7 }), "evict", "all or fewest"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			events, err := given(cast(open, unset[uint32]())).when(domain.ConfigureService{Name: c.service, Settings: c.settings})
			var bad *domain.SettingError
			if !errors.As(err, &bad) || len(events) > 0 {
				t.Fatalf("Decide = %v, %v, want a SettingError", events, err)
			}
			if bad.Setting != c.setting || !strings.Contains(bad.Error(), c.says) {
				t.Errorf("error = %q of setting %s, want %s and %q in it", bad.Error(), bad.Setting, c.setting, c.says)
			}
		})
	}
}

func TestServiceNamesThatAreTaken(t *testing.T) {
	for _, name := range []domain.ServiceName{"a", "0", "im.example-2_x", domain.ServiceName(strings.Repeat("a", 64))} {
		if err := domain.CheckServiceName(name); err != nil {
			t.Errorf("CheckServiceName(%q) = %v, want none", name, err)
		}
	}
}

// TestOptionsAreCopied changes the caller's map after the decision.
func TestOptionsAreCopied(t *testing.T) {
	s := open
	s.Options = map[string]string{"tls": "on"}
	w := given()
	events, err := w.when(domain.ConfigureService{Name: "im", Settings: s})
	if err != nil {
		t.Fatal(err)
	}
	s.Options["tls"] = "off"
	if got := events[0].(*domain.ServiceConfigured).Settings.Options["tls"]; got != "on" {
		t.Errorf("the event's option = %q, want on", got)
	}
}

func TestSettingsEqual(t *testing.T) {
	base := domain.Settings{Kind: domain.KindLocal, MaxSessions: some[uint32](1), Options: map[string]string{"a": "b"}}
	same := base
	same.Options = map[string]string{"a": "b"}
	if !base.Equal(same) {
		t.Errorf("%+v and %+v are not equal", base, same)
	}
	for name, change := range map[string]func(*domain.Settings){
		"unset maximum": func(s *domain.Settings) { s.MaxSessions = unset[uint32]() },
		"option":        func(s *domain.Settings) { s.Options = map[string]string{"a": "c"} },
		"evict":         func(s *domain.Settings) { s.Evict = domain.EvictFewest },
		"address":       func(s *domain.Settings) { s.Address = "x:1" },
	} {
		other := base
		change(&other)
		if base.Equal(other) {
			t.Errorf("settings are equal in spite of another %s", name)
		}
	}
}
