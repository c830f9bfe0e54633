// Package seats folds the life of seats: who holds one, whether the login is
// still pending, and whether the device is in reach. It follows the rules by
// which domain.Ledger applies events, and holds no others.
package seats
