// Package domain holds the rules of the session broker: who may log in, when
// somebody else has to make room, and what ends a session.
//
// # Shape
//
// The package is a decider. [Decide] looks at a [Ledger] and a [Command] and
// gives the events that follow, or refuses; [Ledger.Apply] folds one recorded
// event into the ledger and cannot fail, because an event is something that has
// happened. Both are pure: the time and every id come in as arguments.
//
// When devices were last heard of is not in the log; it comes in through
// [Ledger.Touch]. What a decision made of it stands in its events as evidence, so
// that [Redecide] and [Replay] can derive every decision again from the log.
//
// Each family of facts has a file of its own which holds its events, its
// commands, and the rules that join them: broker.go, service.go, person.go,
// device.go, login.go, coverage.go, session.go.
//
// # Vocabulary
//
//   - Position: the place of a record in the log, dense, from 1. A thing is
//     named by the position of the event that began it.
//   - Service: one upstream instant-messaging service, with its limits.
//   - Person: somebody who may use accounts. Account: one permission of a person
//     to use one account on one service.
//   - Device: a thing with a key of its own that belongs to a person.
//   - Login: an attempt; admitted, it takes a Seat; accepted, it is a live
//     Session. A session keeps the position of its login as its name.
//   - Coverage: whether the device's link is there. Idle: how long nothing has
//     been heard of the device. Evict: whom a full house logs out.
//
// # What it never does
//
// It reads no clock, does no I/O, starts no goroutine, and holds no personal
// data: names, addresses and sealed credentials are side records (see [Side])
// which only lie beside the events.
package domain
