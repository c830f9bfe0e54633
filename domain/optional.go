package domain

import "fmt"

// Optional is a value that may be unset. Unset and zero are different things:
// an unset maximum is no maximum.
type Optional[T comparable] struct {
	value T
	set   bool
}

// Some gives an Optional that is set to v.
func Some[T comparable](v T) Optional[T] { return Optional[T]{v, true} }

// Get gives the value and whether it is set.
func (o Optional[T]) Get() (T, bool) { return o.value, o.set }

// IsSet tells whether there is a value.
func (o Optional[T]) IsSet() bool { return o.set }

// Or gives the value, or v where there is none.
func (o Optional[T]) Or(v T) T {
	if o.set {
		return o.value
	}
	return v
}

// String gives the value as text, or "unset".
func (o Optional[T]) String() string {
	if !o.set {
		return "unset"
	}
	return fmt.Sprint(o.value)
}

// Equal tells whether both are unset or set to the same value.
func (o Optional[T]) Equal(p Optional[T]) bool { return o == p }
