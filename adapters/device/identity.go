package device

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"sync"

	"rollcall/domain"
	"rollcall/domain/broker"
)

var (
	// ErrIdentityInUse tells that another process works with the identity.
	ErrIdentityInUse = errors.New("the identity is in use by another process; stop that first")
	// ErrNoSession tells that the identity has no session on a service to
	// resume.
	ErrNoSession = errors.New("no session to resume; log in")
)

// Identity is what makes a device: its key pair, its server, and what it must
// not forget of its sessions. It lies in a file that is written as a whole, and in a
// journal beside it of what has changed since; both are synced before anybody
// relies on them, so that a crash at any moment loses nothing that was
// acknowledged. One process at a time may hold it; within that process it is safe
// for concurrent use.
type Identity struct {
	path   string
	unlock func() error
	key    Key

	mu      sync.Mutex // guards state and the files
	state   identityState
	journal identityJournal
	whole   int64 // the size of the identity file
}

// SavedSession is a session that an identity can take up again.
type SavedSession struct {
	Service string
	Account string
	Session domain.SessionID
	// Unanswered is how many messages wait for the server's answer.
	Unanswered int
}

// lockSuffix is what the lock's file has behind the name of the identity's.
const lockSuffix = ".lock"

// OpenIdentity opens the identity file at path, which [Join] has made. It gives
// an *[IdentityError] if the file is none, or [ErrIdentityInUse].
func OpenIdentity(path string) (*Identity, error) {
	if _, err := os.Stat(path); err != nil { // in front of the lock, which would be left behind
		return nil, fmt.Errorf("read identity: %w", err)
	}
	unlock, err := lockFile(path + lockSuffix)
	if err != nil {
		return nil, err
	}
	i, err := loadIdentity(path)
	if err != nil {
		_ = unlock() // nothing was done with it
		return nil, err
	}
	i.unlock = unlock
	return i, nil
}

func loadIdentity(path string) (*Identity, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read identity: %w", err)
	}
	state, err := parseIdentity(b)
	if err != nil {
		return nil, fmt.Errorf("read identity %s: %w", path, err)
	}
	key, err := KeyOf(state.Key)
	if err != nil {
		return nil, fmt.Errorf("read identity %s: %w", path, err)
	}
	i := &Identity{path: path, key: key, state: *state, whole: int64(len(b))}
	i.journal.path = path + ".journal"
	i.journal.size, err = replayJournal(i.journal.path, &i.state)
	return i, err
}

// Close lets other processes have the identity.
func (i *Identity) Close() error {
	i.mu.Lock()
	defer i.mu.Unlock()
	return errors.Join(i.journal.close(), i.unlock())
}

// Device gives the device's name on its server; zero while it is not known
// whether the enrolment went through.
func (i *Identity) Device() domain.DeviceID {
	i.mu.Lock()
	defer i.mu.Unlock()
	return domain.DeviceID(i.state.Device)
}

// Address gives the server's host:port.
func (i *Identity) Address() string { return i.state.Address }

// Sessions gives the sessions that can be resumed, ordered by service.
func (i *Identity) Sessions() []SavedSession {
	i.mu.Lock()
	defer i.mu.Unlock()
	var all []SavedSession
	for _, service := range slices.Sorted(maps.Keys(i.state.Sessions)) {
		s := i.state.Sessions[service]
		all = append(all, SavedSession{service, s.Account, domain.SessionID(s.Session), len(s.Outbox)})
	}
	return all
}

// Left are messages of sessions that are over.
type Left struct {
	Service string
	Account string
	// Unanswered is how many messages the server has not answered.
	Unanswered int
}

// Left gives what waits for the next login to an account: then it is sent again.
func (i *Identity) Left() []Left {
	i.mu.Lock()
	defer i.mu.Unlock()
	var all []Left
	for _, l := range i.state.Left {
		all = append(all, Left{l.Service, l.Account, len(l.Outbox)})
	}
	return all
}

// String tells whose identity it is, without its secrets.
func (i *Identity) String() string { return "identity " + i.key.String() + " at " + i.Address() }

// GoString keeps the secrets out of "%#v".
func (i *Identity) GoString() string { return i.String() }

// update changes the device's number or its sessions, and makes that durable. If
// it cannot, nothing has changed.
func (i *Identity) update(change func(*identityState)) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.rewrite(change)
}

// rewrite is update; it leaves the journal empty.
func (i *Identity) rewrite(change func(*identityState)) error {
	next, err := parseIdentity(i.state.encode()) // a deep copy
	if err != nil {
		return err
	}
	change(next)
	next.Format = identityFormat
	next.Journal++
	b := next.encode()
	if len(b) > maxIdentityFile {
		return fmt.Errorf("write identity: %w", ErrOutboxFull)
	}
	if err := replace(i.path, b); err != nil {
		return fmt.Errorf("write identity: %w", err)
	}
	i.state.Format, i.state.Journal = next.Format, next.Journal
	i.state.Device, i.state.Sessions, i.state.Left = next.Device, next.Sessions, next.Left
	i.whole = int64(len(b))
	i.journal.restart()
	return nil
}

// open gives the body of an item that was sealed for the device.
func (i *Identity) open(number uint64, sealed broker.Sealed) any {
	body, err := unseal(i.key, number, sealed)
	if err != nil {
		return Unreadable{err}
	}
	return body
}

// session gives a copy of what is saved of the session on a service.
func (i *Identity) session(service string) (savedSession, bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	s, ok := i.state.Sessions[service]
	if !ok {
		return savedSession{}, false
	}
	c := *s
	c.Outbox = slices.Clone(s.Outbox)
	return c, true
}

// smallJournal is up to what size a journal is never too large.
const smallJournal = 1 << 20

// note notes a change to a session, unless another has taken its place. Where that
// is not durable it may be lost with the system's power, and with nothing else. The
// identity file is written anew once the journal is larger: so a note costs a
// bounded number of bytes in the mean. If it cannot be noted, nothing has changed.
// A message that another session would have to send is an [ErrSessionOver].
func (i *Identity) note(n note, durable bool) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	if s := i.state.Sessions[n.Service]; n.Send != nil && (s == nil || s.Session != n.Session) {
		return ErrSessionOver
	}
	if i.journal.broken || i.journal.size > max(smallJournal, i.whole) {
		return i.rewrite(n.apply)
	}
	n.Of = i.state.Journal
	if err := i.journal.write(n, durable); err != nil {
		return fmt.Errorf("write identity: %w", err)
	}
	n.apply(&i.state)
	return nil
}

// forget removes the session id on a service. What was not answered waits for the
// next login to the account.
func (i *Identity) forget(service string, id uint64) error {
	return i.update(func(st *identityState) {
		if s := st.Sessions[service]; s != nil && s.Session == id {
			st.end(service)
		}
	})
}
