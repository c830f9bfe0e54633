package domain

import "time"

// Command asks for something to happen. Each is a struct of this package that
// carries the time of asking in its field At; Decide takes it to be UTC in whole
// milliseconds and moves it up to the time of the last record where it lies
// before that.
type Command interface {
	decide(l *Ledger, at time.Time) ([]Event, error)
	when() time.Time
}

// Decide gives the events that follow from c on l, in order, for the positions
// after l's last one; or an error if c is refused. No events and no error means
// that nothing needs to happen. It changes nothing: the caller records the events
// and folds each into l with [Ledger.Apply].
func Decide(l *Ledger, c Command) ([]Event, error) {
	return c.decide(l, l.Stamp(c.when()))
}
