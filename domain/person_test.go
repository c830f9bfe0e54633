package domain_test

import (
	"testing"
	"time"

	"rollcall/domain"
)

func TestPeople(t *testing.T) {
	run(t, []scenario{
		{name: "permit a new person", settings: open, when: domain.PermitPerson{Service: im}, then: []domain.Event{&domain.PersonPermitted{Person: 11, Service: im}}},
		{name: "permit a known person", settings: open, when: domain.PermitPerson{Person: 2, Service: im}, then: []domain.Event{&domain.PersonPermitted{Person: 2, Service: im}}},
		{name: "permit nobody", settings: open, when: domain.PermitPerson{Person: 99, Service: im}, err: domain.ErrUnknownPerson},
		{name: "permit on no service", settings: open, when: domain.PermitPerson{Person: 2, Service: 99}, err: domain.ErrUnknownService},
		{
			name: "bar one account", settings: open, given: steps(live(first, alice), &domain.PersonPermitted{Person: 2, Service: im}),
			when: domain.BarPerson{Person: 2, Account: 14}, then: []domain.Event{&domain.PersonBarred{Person: 2, Account: 14}},
		},
		{
			name: "bar a person: every session of theirs ends, nobody else's", settings: open, given: twoLive, when: domain.BarPerson{Person: 2},
			then: []domain.Event{&domain.PersonBarred{Person: 2}, &domain.SessionEnded{Session: first, Cause: domain.EndPersonBarred}},
		},
		{name: "bar nobody", settings: open, when: domain.BarPerson{Person: 99}, err: domain.ErrUnknownPerson},
		{name: "bar another person's account", settings: open, when: domain.BarPerson{Person: 2, Account: bobAccount}, err: domain.ErrUnknownAccount},
		{name: "bar an account twice", settings: open, given: steps(&domain.PersonBarred{Person: 2, Account: aliceAccount}), when: domain.BarPerson{Person: 2, Account: aliceAccount}, err: domain.ErrUnknownAccount},
	})
}

func TestEnrolment(t *testing.T) {
	offered := steps(&domain.EnrolmentOffered{Person: 2, ValidFor: time.Minute})
	run(t, []scenario{
		{name: "offer to a new person", settings: open, when: domain.OfferEnrolment{ValidFor: time.Minute}, then: []domain.Event{&domain.EnrolmentOffered{Person: 11, ValidFor: time.Minute}}},
		{
			name: "offer to a new person with accounts", settings: open, when: domain.OfferEnrolment{ValidFor: time.Minute, Permit: []domain.ServiceID{im, im}},
			then: []domain.Event{&domain.PersonPermitted{Person: 11, Service: im}, &domain.PersonPermitted{Person: 11, Service: im}, &domain.EnrolmentOffered{Person: 11, ValidFor: time.Minute}},
		},
		{name: "offer in whole milliseconds", settings: open, when: domain.OfferEnrolment{Person: 2, ValidFor: 1500 * time.Microsecond}, then: []domain.Event{&domain.EnrolmentOffered{Person: 2, ValidFor: time.Millisecond}}},
		{name: "offer to nobody", settings: open, when: domain.OfferEnrolment{Person: 99, ValidFor: time.Minute}, err: domain.ErrUnknownPerson},
		{name: "offer for no time", settings: open, when: domain.OfferEnrolment{Person: 2, ValidFor: time.Microsecond}, err: domain.ErrOfferTime},
		{name: "offer with an unknown service", settings: open, when: domain.OfferEnrolment{Person: 2, ValidFor: time.Minute, Permit: []domain.ServiceID{im, 99}}, err: domain.ErrUnknownService},
		{name: "redeem in the last millisecond", settings: open, given: steps(offered, time.Minute-time.Millisecond), when: domain.EnrolDevice{Offer: 11}, then: []domain.Event{&domain.DeviceEnrolled{Person: 2, Offer: 11}}},
		{name: "redeem too late", settings: open, given: steps(offered, time.Minute), when: domain.EnrolDevice{Offer: 11}, err: domain.ErrOfferExpired},
		{name: "redeem twice", settings: open, given: steps(offered, &domain.DeviceEnrolled{Person: 2, Offer: 11}), when: domain.EnrolDevice{Offer: 11}, err: domain.ErrOfferSpent},
		{name: "redeem twice, and too late", settings: open, given: steps(offered, &domain.DeviceEnrolled{Person: 2, Offer: 11}, time.Hour), when: domain.EnrolDevice{Offer: 11}, err: domain.ErrOfferSpent},
		{name: "redeem nothing", settings: open, when: domain.EnrolDevice{Offer: 99}, err: domain.ErrUnknownOffer},
	})
}

func TestRevokeDevice(t *testing.T) {
	run(t, []scenario{
		{
			name: "its sessions end on every service", settings: open,
			given: steps(live(first, alice), live(14, bob), &domain.ServiceConfigured{Service: 17, Name: "other", Settings: open},
				&domain.PersonPermitted{Person: 2, Service: 17},
				&domain.LoginRequested{Device: alice, Service: 17, Account: 18}, &domain.LoginAdmitted{Session: 19, Seats: 1}),
			when: domain.RevokeDevice{Device: alice},
			then: []domain.Event{
				&domain.DeviceRevoked{Device: alice},
				&domain.SessionEnded{Session: first, Cause: domain.EndDeviceRevoked},
				&domain.SessionEnded{Session: 19, Cause: domain.EndDeviceRevoked},
			},
		},
		{name: "unknown", settings: open, when: domain.RevokeDevice{Device: 99}, err: domain.ErrUnknownDevice},
		{name: "twice", settings: open, given: steps(&domain.DeviceRevoked{Device: alice}), when: domain.RevokeDevice{Device: alice}, err: domain.ErrDeviceRevoked},
	})
}
