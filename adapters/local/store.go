package local

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"os"
	"slices"
	"sync"

	"github.com/rogpeppe/go-internal/lockedfile"
)

// Store keeps the accounts of the built-in service in a file. It is safe for
// concurrent use, also by several processes on one file: each sees what the
// others have changed.
type Store struct {
	path   string
	cost   Cost
	hasher hasher

	mu     sync.Mutex
	latest *directory
	info   fs.FileInfo // of the file that latest was read from; nil if there was none
}

// Account is an account as List gives it.
type Account struct {
	Name    string
	Display string // the name that others see
}

// NewAccount is an account to be added. Display is Name where it is empty.
type NewAccount struct {
	Name, Display, Password string
}

// OpenStore gives the store in the file at path, which is made with the first
// account. New passwords are hashed at the given cost; those that are there keep
// theirs. A file that cannot be used is a *[FileError].
func OpenStore(path string, cost Cost) (*Store, error) {
	if !cost.valid() {
		return nil, fmt.Errorf("open the account file: %+v is no cost that argon2id can have", cost)
	}
	s := &Store{path: path, cost: cost, hasher: newHasher(), latest: &directory{}}
	_, err := s.load()
	return s, err
}

// Add adds accounts, all of them or none: [ErrAccountExists], *[NameError],
// [ErrPassword].
func (s *Store) Add(accounts ...NewAccount) error {
	added := make([]account, 0, len(accounts))
	for _, n := range accounts {
		a, err := s.newAccount(n)
		if err != nil {
			return fmt.Errorf("add account: %w", err)
		}
		added = append(added, a)
	}
	return s.update("add account", func(all []account) ([]account, error) {
		all = append(all, added...)
		slices.SortFunc(all, byName)
		for i := 1; i < len(all); i++ {
			if all[i].Name == all[i-1].Name {
				return nil, fmt.Errorf("%s: %w", all[i].Name, ErrAccountExists)
			}
		}
		return all, nil
	})
}

func (s *Store) newAccount(n NewAccount) (account, error) {
	a := account{Name: n.Name, Display: cmp.Or(n.Display, n.Name)}
	if err := errors.Join(CheckName(n.Name), checkDisplay(a.Display), checkPassword(n.Password)); err != nil {
		return account{}, err
	}
	var err error
	a.Secret, err = s.hasher.make(n.Password, s.cost)
	return a, err
}

// Remove removes an account: [ErrUnknownAccount]. Its sessions end within
// seconds.
func (s *Store) Remove(name string) error {
	return s.updateOne("remove account", name, func(all []account, i int) []account {
		return slices.Delete(all, i, i+1)
	})
}

// SetPassword changes an account's password: [ErrUnknownAccount], [ErrPassword].
// Its sessions go on.
func (s *Store) SetPassword(name, password string) error {
	if err := checkPassword(password); err != nil {
		return fmt.Errorf("set password: %w", err)
	}
	secret, err := s.hasher.make(password, s.cost)
	if err != nil {
		return fmt.Errorf("set password: %w", err)
	}
	return s.updateOne("set password", name, func(all []account, i int) []account {
		all[i].Secret = secret
		return all
	})
}

// List gives every account, by name.
func (s *Store) List() ([]Account, error) {
	d, err := s.load()
	if err != nil {
		return nil, err
	}
	list := make([]Account, len(d.accounts))
	for i, a := range d.accounts {
		list[i] = Account{a.Name, a.Display}
	}
	return list, nil
}

func (s *Store) updateOne(what, name string, change func(all []account, i int) []account) error {
	return s.update(what, func(all []account) ([]account, error) {
		i := slices.IndexFunc(all, func(a account) bool { return a.Name == name })
		if i < 0 {
			return nil, fmt.Errorf("%.80q: %w", name, ErrUnknownAccount)
		}
		return change(all, i), nil
	})
}

// update changes the file while no other process does. change gets a copy that
// is its own.
func (s *Store) update(what string, change func([]account) ([]account, error)) error {
	unlock, err := lockedfile.MutexAt(s.path + ".lock").Lock()
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	defer unlock()
	d, err := s.load()
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	accounts, err := change(slices.Clone(d.accounts))
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	if err := s.replace(accounts); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

func (s *Store) replace(accounts []account) error {
	data, err := encodeFile(accounts)
	if err != nil {
		return err
	}
	info, err := replaceFile(s.path, data)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keep(accounts, info)
	return nil
}

// load gives the accounts as they stand in the file now. It reads the file only
// if it is another one than last time.
func (s *Store) load() (*directory, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	info, err := os.Stat(s.path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("look at the account file: %w", err)
	}
	if err == nil && s.info != nil && sameFile(info, s.info) || err != nil && s.info == nil {
		return s.latest, nil
	}
	accounts, info, err := readFile(s.path)
	if err != nil {
		return nil, err
	}
	return s.keep(accounts, info), nil
}

func (s *Store) keep(accounts []account, info fs.FileInfo) *directory {
	s.latest, s.info = &directory{s.latest.generation + 1, accounts}, info
	return s.latest
}

// sameFile tells whether a file has neither been replaced nor written to.
func sameFile(a, b fs.FileInfo) bool {
	return os.SameFile(a, b) && a.ModTime().Equal(b.ModTime()) && a.Size() == b.Size() && a.Mode() == b.Mode()
}

// verify gives the directory in which the account has that password, or
// errWrongPassword, which takes as long for an account that is not there.
func (s *Store) verify(ctx context.Context, name, password string) (*directory, error) {
	d, err := s.load()
	if err != nil {
		return nil, err
	}
	a := d.find(name)
	want := s.decoy(d, name)
	if a != nil {
		want = a.Secret
	}
	matches, err := s.hasher.matches(ctx, password, want)
	if err != nil {
		return nil, err
	}
	if !matches || a == nil {
		return nil, errWrongPassword
	}
	return d, nil
}

// decoy gives something to compare with for a name that no account has. It costs
// what some account's does, always the same one's, so that the time tells
// nothing even where costs have changed over the years.
func (s *Store) decoy(d *directory, name string) secret {
	if len(d.accounts) == 0 {
		return secret{cost: s.cost}
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(name)) // never fails
	return d.accounts[h.Sum64()%uint64(len(d.accounts))].Secret
}
