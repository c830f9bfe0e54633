package local

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"runtime"
	"strings"

	"golang.org/x/crypto/argon2"
)

// Cost is what one password hash takes: the parameters of argon2id (RFC 9106,
// section 3.1).
type Cost struct {
	Memory  uint32 // KiB
	Time    uint32 // passes over the memory
	Threads uint8
}

var (
	// DefaultCost is the OWASP Password Storage Cheat Sheet's first choice for
	// servers: 19 MiB, two passes, one thread.
	DefaultCost = Cost{Memory: 19 * 1024, Time: 2, Threads: 1}
	// CheapCost protects nothing. It is for tests, benchmarks and the demo.
	CheapCost = Cost{Memory: 8, Time: 1, Threads: 1}
	// maxCost bounds what an account file can make this process do.
	maxCost = Cost{Memory: 1024 * 1024, Time: 64, Threads: 64}
)

func (c Cost) valid() bool {
	return c.Time >= 1 && c.Threads >= 1 && c.Memory >= 8*uint32(c.Threads) &&
		c.Memory <= maxCost.Memory && c.Time <= maxCost.Time && c.Threads <= maxCost.Threads
}

const (
	saltLength = 16
	hashLength = 32
)

// secret is a password's hash. As text it is a PHC string, the form that argon2's
// reference implementation prints:
//
//	$argon2id$v=19$m=19456,t=2,p=1$SALT$HASH     (base64 without padding)
type secret struct {
	cost Cost
	salt [saltLength]byte
	hash [hashLength]byte
}

const secretFormat = "$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s"

var base64Strict = base64.RawStdEncoding.Strict()

// MarshalText gives the PHC string.
func (s secret) MarshalText() ([]byte, error) {
	return fmt.Appendf(nil, secretFormat, argon2.Version, s.cost.Memory, s.cost.Time, s.cost.Threads,
		base64Strict.EncodeToString(s.salt[:]), base64Strict.EncodeToString(s.hash[:])), nil
}

var errSecret = errors.New("a password is not an argon2id hash in PHC form")

// UnmarshalText takes what MarshalText gives and nothing else.
func (s *secret) UnmarshalText(text []byte) error {
	parts := strings.Split(string(text), "$")
	if len(parts) != 6 {
		return errSecret
	}
	var cost Cost
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &cost.Memory, &cost.Time, &cost.Threads); err != nil || !cost.valid() {
		return errSecret
	}
	if !decodeBytes(s.salt[:], parts[4]) || !decodeBytes(s.hash[:], parts[5]) {
		return errSecret
	}
	s.cost = cost
	if again, _ := s.MarshalText(); string(again) != string(text) {
		return errSecret // other versions, spaces, leading zeros
	}
	return nil
}

func decodeBytes(to []byte, text string) bool {
	b, err := base64Strict.DecodeString(text)
	return err == nil && copy(to, b) == len(to) && len(b) == len(to)
}

// hasher computes hashes, and no more at a time than there are processors: each
// takes its cost in memory.
type hasher struct{ slots chan struct{} }

func newHasher() hasher { return hasher{make(chan struct{}, runtime.GOMAXPROCS(0))} }

func (h hasher) key(ctx context.Context, password string, salt []byte, c Cost) ([]byte, error) {
	select {
	case h.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-h.slots }()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return argon2.IDKey([]byte(password), salt, c.Time, c.Memory, c.Threads, hashLength), nil
}

// make hashes a new password.
func (h hasher) make(password string, c Cost) (secret, error) {
	s := secret{cost: c}
	_, _ = rand.Read(s.salt[:]) // never fails: it ends the process instead
	key, err := h.key(context.Background(), password, s.salt[:], c)
	copy(s.hash[:], key)
	return s, err
}

// matches compares in constant time.
func (h hasher) matches(ctx context.Context, password string, s secret) (bool, error) {
	key, err := h.key(ctx, password, s.salt[:], s.cost)
	if err != nil {
		return false, err
	}
	return subtle.ConstantTimeCompare(key, s.hash[:]) == 1, nil
}
