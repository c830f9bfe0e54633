package local

import (
	"errors"
	"fmt"
)

// The cases that callers of a [Store] tell apart.
var (
	// ErrAccountExists tells that there is an account of that name already.
	ErrAccountExists = errors.New("there is an account of that name already")
	// ErrUnknownAccount tells that there is no account of that name.
	ErrUnknownAccount = errors.New("there is no account of that name")
	// ErrPassword tells that a password is not one that can be set.
	ErrPassword = errors.New("a password has 1 to 1024 bytes of UTF-8 text")
	// errWrongPassword covers unknown accounts too, so that nobody can tell
	// them apart.
	errWrongPassword = errors.New("the account or the password is wrong")
)

// NameError tells why a name cannot be an account's.
type NameError struct{ Name, Problem string }

func (e *NameError) Error() string { return fmt.Sprintf("account name %.80q: %s", e.Name, e.Problem) }

// FileError tells what is wrong with an account file, and what to do about it.
type FileError struct {
	Path, Problem, Next string
	Err                 error // the cause; may be nil
}

func (e *FileError) Error() string { return fmt.Sprintf("%s: %s; %s", e.Path, e.Problem, e.Next) }

func (e *FileError) Unwrap() error { return e.Err }
