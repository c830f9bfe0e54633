package local

import (
	"iter"
	"slices"
	"strings"
)

// directory is the accounts as they stood at one time, by ascending name. Nobody
// changes it once it has been made. The later of two has the higher generation.
type directory struct {
	generation uint64
	accounts   []account
}

// find gives the account of that name, or nil.
func (d *directory) find(name string) *account {
	i, found := slices.BinarySearchFunc(d.accounts, name, func(a account, name string) int {
		return strings.Compare(a.Name, name)
	})
	if !found {
		return nil
	}
	return &d.accounts[i]
}

// changes gives the accounts in which d and next differ, by name: old is nil for
// one that is new, and now for one that is gone.
func (d *directory) changes(next *directory) iter.Seq2[*account, *account] {
	return func(yield func(old, now *account) bool) {
		a, b := d.accounts, next.accounts
		for len(a) > 0 || len(b) > 0 {
			var old, now *account
			if len(b) == 0 || len(a) > 0 && a[0].Name <= b[0].Name {
				old = &a[0]
			}
			if len(a) == 0 || len(b) > 0 && b[0].Name <= a[0].Name {
				now = &b[0]
			}
			if old != nil {
				a = a[1:]
			}
			if now != nil {
				b = b[1:]
			}
			same := old != nil && now != nil && *old == *now
			if !same && !yield(old, now) {
				return
			}
		}
	}
}
