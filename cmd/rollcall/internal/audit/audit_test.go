package audit_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/adapters/control"
	"rollcall/cmd/rollcall/internal/audit"
	"rollcall/domain"
	"rollcall/eventstore/memlog"
)

var began = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)

// story writes a log by hand, an event a minute.
type story struct {
	t   *testing.T
	log *memlog.Log
}

func (s story) write(e domain.Event, sides ...domain.Side) {
	s.t.Helper()
	p := s.log.Last() + 1
	for i := range sides {
		if sides[i].Position == 0 {
			sides[i].Position = p
		}
	}
	record := domain.Record{Position: p, Time: began.Add(time.Duration(p) * time.Minute), Event: e}
	if _, err := s.log.Append(s.t.Context(), p-1, domain.Batch{Records: []domain.Record{record}, Sides: sides}); err != nil {
		s.t.Fatal(err)
	}
}

func side(kind domain.SideKind, value string) domain.Side {
	return domain.Side{SideKey: domain.SideKey{Kind: kind}, Value: []byte(value)}
}

// busyHouse is a house with one seat: Ada is in it, falls silent, and makes room
// for Bob, whom the upstream server refuses; then she is barred.
func busyHouse(t *testing.T) *memlog.Log {
	s := story{t, memlog.New()}
	ada := domain.Side{SideKey: domain.SideKey{Position: 3, Kind: domain.SidePersonName}, Value: []byte("Ada")}
	bob := domain.Side{SideKey: domain.SideKey{Position: 6, Kind: domain.SidePersonName}, Value: []byte("Bob")}
	s.write(&domain.BrokerStarted{Version: "1"})
	s.write(&domain.ServiceConfigured{Service: 2, Name: "office", Settings: domain.Settings{
		Kind: domain.KindLocal, MaxSessions: domain.Some(uint32(1)), IdleTimeout: domain.Some(time.Minute),
	}, Total: domain.Some(uint32(10000))})
	s.write(&domain.PersonPermitted{Person: 3, Service: 2}, ada, side(domain.SideAccountName, "ada"))
	s.write(&domain.EnrolmentOffered{Person: 3, ValidFor: 15 * time.Minute}, side(domain.SideOfferSecret, "digest"))
	s.write(&domain.DeviceEnrolled{Person: 3, Offer: 4}, side(domain.SideDeviceLabel, "phone"))
	s.write(&domain.PersonPermitted{Person: 6, Service: 2}, bob, side(domain.SideAccountName, "bob"))
	s.write(&domain.EnrolmentOffered{Person: 6, ValidFor: 15 * time.Minute})
	s.write(&domain.DeviceEnrolled{Person: 6, Offer: 7})
	s.write(&domain.LoginRequested{Device: 5, Service: 2, Account: 3}, side(domain.SideAddress, "192.0.2.1:4000"))
	s.write(&domain.LoginAdmitted{Session: 9, Seats: 1, Limit: domain.Some(uint32(1))})
	s.write(&domain.LoginAccepted{Session: 9})
	s.write(&domain.CoverageLost{Session: 9, Silent: 10 * time.Second})
	s.write(&domain.LoginRequested{Device: 8, Service: 2, Account: 6})
	s.write(&domain.SessionIdledOut{Session: 9, For: 13, Idle: 2 * time.Minute, OutOfCoverage: true})
	s.write(&domain.LoginAdmitted{Session: 13, Seats: 1, Limit: domain.Some(uint32(1))})
	s.write(&domain.LoginRejected{Session: 13, Code: domain.RejectBadCredentials},
		domain.Side{SideKey: domain.SideKey{Position: 13, Kind: domain.SideUpstreamText}, Value: []byte("wrong password")})
	s.write(&domain.LoginRequested{Device: 8}, side(domain.SideServiceName, "nowhere"), side(domain.SideAccountName, "eve"))
	s.write(&domain.LoginRejected{Session: 17, Code: domain.RejectUnknownService})
	s.write(&domain.PersonBarred{Person: 3, Account: 3})
	s.write(&domain.DeviceRevoked{Device: 5})
	s.write(&domain.ServiceRemoved{Service: 2})
	s.write(&domain.BrokerStopped{})
	return s.log
}

func line(r control.AuditRow) string {
	return fmt.Sprintf("%d %s %s s=%d %s/%s/%s d=%d %s %s", r.Position, r.Time.Format("15:04"), r.Type,
		r.Session, r.Service, r.Person, r.Account, r.Device, r.Label, r.Fields)
}

func lines(t *testing.T, log audit.Log, f control.AuditFilter) []string {
	t.Helper()
	var got []string
	for row, err := range audit.Rows(t.Context(), log, f) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, line(row))
	}
	return got
}

func TestEveryRowHasItsNames(t *testing.T) {
	want := strings.Split(strings.TrimSpace(`
1 09:01 broker-started s=0 // d=0  {"version":"1"}
2 09:02 service-configured s=0 office// d=0  {"service":2,"name":"office","settings":{"kind":"local","max_sessions":1,"idle_timeout":"1m0s","evict":"all"},"total":10000}
3 09:03 person-permitted s=0 office/Ada/ada d=0  {"person":3,"service":2}
4 09:04 enrolment-offered s=0 /Ada/ d=0  {"person":3,"valid_for":"15m0s"}
5 09:05 device-enrolled s=0 /Ada/ d=5 phone {"person":3,"offer":4}
6 09:06 person-permitted s=0 office/Bob/bob d=0  {"person":6,"service":2}
7 09:07 enrolment-offered s=0 /Bob/ d=0  {"person":6,"valid_for":"15m0s"}
8 09:08 device-enrolled s=0 /Bob/ d=8  {"person":6,"offer":7}
9 09:09 login-requested s=9 office/Ada/ada d=5 phone {"device":5,"service":2,"account":3,"address":"192.0.2.1:4000"}
10 09:10 login-admitted s=9 office/Ada/ada d=5 phone {"session":9,"seats":1,"limit":1}
11 09:11 login-accepted s=9 office/Ada/ada d=5 phone {"session":9}
12 09:12 coverage-lost s=9 office/Ada/ada d=5 phone {"session":9,"silent":"10s"}
13 09:13 login-requested s=13 office/Bob/bob d=8  {"device":8,"service":2,"account":6}
14 09:14 session-idled-out s=9 office/Ada/ada d=5 phone {"session":9,"for":13,"idle":"2m0s","out_of_coverage":true}
15 09:15 login-admitted s=13 office/Bob/bob d=8  {"session":13,"seats":1,"limit":1}
16 09:16 login-rejected s=13 office/Bob/bob d=8  {"session":13,"code":"bad-credentials","seats":0,"idle_seats":0,"upstream_text":"wrong password"}
17 09:17 login-requested s=17 nowhere/Bob/eve d=8  {"device":8,"service":0,"account":0}
18 09:18 login-rejected s=17 nowhere/Bob/eve d=8  {"session":17,"code":"unknown-service","seats":0,"idle_seats":0}
19 09:19 person-barred s=0 office/Ada/ada d=0  {"person":3,"account":3}
20 09:20 device-revoked s=0 /Ada/ d=5 phone {"device":5}
21 09:21 service-removed s=0 office// d=0  {"service":2}
22 09:22 broker-stopped s=0 // d=0  {}
`), "\n")
	if diff := cmp.Diff(want, lines(t, busyHouse(t), control.AuditFilter{})); diff != "" {
		t.Error(diff)
	}
}

func TestFilters(t *testing.T) {
	log := busyHouse(t)
	at := func(p int) time.Time { return began.Add(time.Duration(p) * time.Minute) }
	for _, test := range []struct {
		name   string
		filter control.AuditFilter
		want   string // positions
	}{
		{"from is included", control.AuditFilter{From: at(20)}, "20 21 22"},
		{"to is not", control.AuditFilter{To: at(3)}, "1 2"},
		{"person", control.AuditFilter{Person: "Bob", From: at(15)}, "15 16 17 18"},
		{"person by number", control.AuditFilter{Person: "6", From: at(15)}, "15 16 17 18"},
		{"service by its name", control.AuditFilter{Service: "nowhere"}, "17 18"},
		{"session", control.AuditFilter{Session: 9}, "9 10 11 12 14"},
		{"types", control.AuditFilter{Types: []string{"login-rejected", "broker-started"}}, "1 16 18"},
		{"all at once", control.AuditFilter{Types: []string{"login-admitted"}, Person: "Ada", Service: "office"}, "10"},
		{"nobody", control.AuditFilter{Person: "Eve"}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			var got []string
			for _, l := range lines(t, log, test.filter) {
				position, _, _ := strings.Cut(l, " ")
				got = append(got, position)
			}
			if diff := cmp.Diff(test.want, strings.Join(got, " ")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestUnknownTypeIsRefused(t *testing.T) {
	for _, err := range audit.Rows(t.Context(), busyHouse(t), control.AuditFilter{Types: []string{"login-admited"}}) {
		var bad *domain.SettingError
		if !errors.As(err, &bad) || bad.Setting != "type" {
			t.Errorf("Rows = %v, want a *SettingError of the type", err)
		}
		return
	}
	t.Error("Rows gave nothing, want an error")
}

func TestFollowGoesOnUntilTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := busyHouse(t)
		ctx, cancel := context.WithCancel(t.Context())
		var got []string
		followed := make(chan error, 1)
		go func() {
			var last error
			for row, err := range audit.Rows(ctx, log, control.AuditFilter{From: began.Add(22 * time.Minute), Follow: true}) {
				got, last = append(got, row.Type), err
			}
			followed <- last
		}()
		synctest.Wait()
		story{t, log}.write(&domain.BrokerStarted{Version: "2"})
		synctest.Wait()
		cancel()
		if err := <-followed; err != nil {
			t.Errorf("the end of the context gave %v, want no error", err)
		}
		if diff := cmp.Diff([]string{"broker-stopped", "broker-started"}, got); diff != "" {
			t.Error(diff)
		}
	})
}
