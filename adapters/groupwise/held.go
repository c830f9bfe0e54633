package groupwise

import (
	"context"
	"time"

	"rollcall/adapters/groupwise/wire"
)

const (
	fetchPatience = 5 * time.Second // for a stranger's details
	maxFetches    = 64              // at a time
	maxHeld       = 256             // events of one stranger
)

// held is what a stranger has done while their details are on the way.
type held struct{ events []*wire.Event }

// hold keeps an event for later; where there are too many, the DN has to do, and
// all are handled now. The lock is held.
func (v *Conversation) hold(h *held, e *wire.Event) {
	h.events = append(h.events, e)
	if len(h.events) > maxHeld {
		v.release(e.Source)
	}
}

// release handles what somebody has done, as far as it was held. The lock is held.
func (v *Conversation) release(dn string) {
	h := v.held[fold(dn)]
	if h == nil {
		return
	}
	delete(v.held, fold(dn))
	who := v.people.stranger(dn)
	for _, e := range h.events {
		aboutPeople[e.Type].handle(v, who, e)
	}
}

// fetch holds an event and asks for the details of whom it is about. Where too
// much is on the way already, the DN has to do. The lock is held.
func (v *Conversation) fetch(e *wire.Event) {
	if len(v.held) >= maxFetches || e.Source == "" {
		aboutPeople[e.Type].handle(v, v.people.stranger(e.Source), e)
		return
	}
	h := &held{}
	v.hold(h, e)
	v.held[fold(e.Source)] = h
	go v.introduce(e.Source)
}

// introduce gets a stranger's details and handles what was held.
func (v *Conversation) introduce(dn string) {
	ctx, cancel := context.WithTimeout(context.Background(), fetchPatience)
	defer cancel()
	answer, err := v.ask(ctx, wire.CommandGetDetails, wire.GetDetails(dn))
	v.mu.Lock()
	defer v.mu.Unlock()
	if err == nil {
		v.meetAll(answer)
	}
	v.release(dn)
}

// meetAll learns of everybody in an answer to getdetails. The lock is held.
func (v *Conversation) meetAll(answer wire.Fields) (met []*person) {
	for _, p := range wire.ParseDetails(answer) {
		if p.DN != "" && !v.people.isOwn(p.DN) {
			met = append(met, v.people.meet(p))
		}
	}
	return met
}
