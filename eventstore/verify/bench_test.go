package verify_test

import (
	"path/filepath"
	"testing"
	"time"

	"rollcall/domain"
	"rollcall/eventstore/boltlog"
	"rollcall/eventstore/verify"
)

// BenchmarkCheck reads a log of logins of 1,000 people from a file: beside it, the
// same file with the decisions only, and merely read.
func BenchmarkCheck(b *testing.B) {
	log := loginLog(b, 200_000)
	rate := func(b *testing.B) {
		b.ReportMetric(float64(log.Last())*float64(b.N)/b.Elapsed().Seconds(), "events/s")
	}
	whole := func(o verify.Options) func(b *testing.B) {
		return func(b *testing.B) {
			for b.Loop() {
				if report, err := verify.Check(b.Context(), log, o); err != nil || !report.Clean() {
					b.Fatal(report.Findings, err)
				}
			}
			rate(b)
		}
	}
	b.Run("everything", whole(verify.Options{}))
	b.Run("decisions", whole(verify.Options{DecisionsOnly: true}))
	b.Run("read", func(b *testing.B) {
		for b.Loop() {
			for _, err := range log.Read(b.Context(), 1) {
				if err != nil {
					b.Fatal(err)
				}
			}
		}
		rate(b)
	})
}

// loginLog is a log of n events or a few more, in a file.
func loginLog(b *testing.B, n int) *boltlog.Log {
	b.Helper()
	s := newStory()
	s.do(domain.ConfigureService{At: s.now, Name: "chat", Settings: domain.Settings{Kind: domain.KindLocal, MaxSessions: domain.Some[uint32](500)}})
	var devices, accounts []domain.Position
	for range 1000 {
		accounts = append(accounts, s.do(domain.OfferEnrolment{At: s.now, Permit: []domain.ServiceID{1}, ValidFor: time.Hour}))
		devices = append(devices, s.do(domain.EnrolDevice{At: s.now, Offer: domain.OfferID(s.ledger.Position())}))
	}
	for i := 0; len(s.records) < n; i++ {
		s.now = s.now.Add(time.Second)
		session := domain.SessionID(s.do(domain.RequestLogin{At: s.now, Device: domain.DeviceID(devices[i%1000]), Service: 1, Account: domain.AccountID(accounts[i%1000])}))
		s.do(domain.AcceptLogin{At: s.now, Session: session})
		s.do(domain.LoseCoverage{At: s.now, Session: session})
		if i%3 == 0 {
			s.do(domain.EndSession{At: s.now, Session: session, Cause: domain.EndLogout})
		}
	}
	dir := b.TempDir()
	log, err := boltlog.Open(dir, boltlog.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer log.Close()
	for len(s.records) > 0 {
		batch := s.records[:min(4096, len(s.records))]
		if _, err := log.Append(b.Context(), log.Last(), domain.Batch{Records: batch}); err != nil {
			b.Fatal(err)
		}
		s.records = s.records[len(batch):]
	}
	file := filepath.Join(dir, "copy.db")
	if err := log.Backup(b.Context(), file); err != nil {
		b.Fatal(err)
	}
	read, err := boltlog.OpenFile(file)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = read.Close() })
	return read
}
