package local

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// The account file is JSON, accounts by ascending name:
//
//	{
//	  "format": 1,
//	  "accounts": [
//	    {"name": "alice", "display": "Alice A.", "password": "$argon2id$v=19$m=19456,t=2,p=1$…$…"}
//	  ]
//	}
//
// Whoever changes it holds a lock on a file of the same name with ".lock" behind
// it, writes a new file, and renames it over the old one: readers need no lock.
type file struct {
	Format   int       `json:"format"`
	Accounts []account `json:"accounts"`
}

type account struct {
	Name    string `json:"name"`
	Display string `json:"display"`
	Secret  secret `json:"password"`
}

const (
	fileFormat = 1
	fileMode   = 0o600
	maxFile    = 64 << 20 // bytes; about 300,000 accounts
)

// decodeFile gives the accounts of a file, sorted and each checked. Its errors
// repeat nothing that could be a secret.
func decodeFile(data []byte) ([]account, error) {
	var f file
	if err := json.Unmarshal(data, &struct{ Format *int }{&f.Format}); err != nil {
		return nil, jsonProblem(err)
	}
	if f.Format != fileFormat {
		return nil, fmt.Errorf("it has format %d and this version of rollcall reads format %d", f.Format, fileFormat)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&f); err != nil {
		return nil, jsonProblem(err)
	}
	slices.SortStableFunc(f.Accounts, byName)
	return f.Accounts, checkAccounts(f.Accounts)
}

// jsonProblem keeps the place of a syntax error and drops quoted content.
func jsonProblem(err error) error {
	var syntax *json.SyntaxError
	var typed *json.UnmarshalTypeError
	switch {
	case errors.Is(err, errSecret):
		return errSecret
	case errors.As(err, &syntax):
		return fmt.Errorf("it is no JSON at byte %d", syntax.Offset)
	case errors.As(err, &typed):
		return fmt.Errorf("%s is of the wrong type at byte %d", typed.Field, typed.Offset)
	}
	return fmt.Errorf("it cannot be read: %w", err)
}

func checkAccounts(accounts []account) error {
	for i, a := range accounts {
		if err := errors.Join(CheckName(a.Name), checkDisplay(a.Display)); err != nil {
			return err
		}
		if i > 0 && accounts[i-1].Name == a.Name {
			return fmt.Errorf("account %s stands there twice", a.Name)
		}
		if !a.Secret.cost.valid() {
			return fmt.Errorf("account %s has no password", a.Name)
		}
	}
	return nil
}

func encodeFile(accounts []account) ([]byte, error) {
	data, err := json.MarshalIndent(file{fileFormat, accounts}, "", "  ")
	return append(data, '\n'), err
}

func byName(a, b account) int { return strings.Compare(a.Name, b.Name) }

// readFile gives the accounts in a file and what the file was; none and nil if
// there is no file.
func readFile(path string) ([]account, fs.FileInfo, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("open the account file: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, nil, fmt.Errorf("read the account file: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, nil, &FileError{path, "others than its owner can get at the password hashes", "run chmod 600 on it", nil}
	}
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, nil, fmt.Errorf("read the account file: %w", err)
	}
	if len(data) > maxFile {
		return nil, nil, &FileError{path, "it is larger than 64 MiB", "check that this is an account file", nil}
	}
	accounts, err := decodeFile(data)
	if err != nil {
		return nil, nil, &FileError{path, err.Error(), "put it right, or restore it from a backup", err}
	}
	return accounts, info, nil
}

// replaceFile writes a file in one durable step: after a crash there is the old
// one or the new one.
func replaceFile(path string, data []byte) (fs.FileInfo, error) {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".new-*") // with mode 0600
	if err != nil {
		return nil, err
	}
	defer os.Remove(f.Name()) // fails once it has been renamed, as it should
	_, err = f.Write(data)
	info, statErr := f.Stat()
	if err := errors.Join(err, f.Sync(), statErr, f.Close()); err != nil {
		return nil, err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return nil, err
	}
	return info, syncFolder(filepath.Dir(path))
}

func syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
