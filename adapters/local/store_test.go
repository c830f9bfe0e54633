package local_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/adapters/local"
	"rollcall/domain/broker"
)

func list(t *testing.T, s *local.Store) (names []string) {
	t.Helper()
	accounts, err := s.List()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range accounts {
		names = append(names, a.Name)
	}
	return names
}

func TestStoreChanges(t *testing.T) {
	store, path := openStore(t)
	if err := errors.Join(
		store.Add(local.NewAccount{Name: "aaron", Display: "Aaron Ü", Password: "x"}),
		store.Remove("bob"),
		store.SetPassword("carol", "another"),
	); err != nil {
		t.Fatal(err)
	}
	again, err := local.OpenStore(path, local.CheapCost)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"aaron", "alice", "carol", "dave"}, list(t, again)); diff != "" {
		t.Errorf("List after reopening (-want +got):\n%s", diff)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode of the file = %v, %v; want 0600", info.Mode(), err)
	}
	left, err := filepath.Glob(path + ".new-*")
	if err != nil || len(left) > 0 {
		t.Errorf("temporary files left behind: %v, %v", left, err)
	}
}

func TestStoreRefuses(t *testing.T) {
	store, _ := openStore(t)
	before := list(t, store)
	for name, c := range map[string]struct {
		err  error
		want error
	}{
		"a name that is taken":      {store.Add(local.NewAccount{Name: "alice", Password: "x"}), local.ErrAccountExists},
		"two of a name at once":     {store.Add(local.NewAccount{Name: "x", Password: "x"}, local.NewAccount{Name: "x", Password: "x"}), local.ErrAccountExists},
		"no password":               {store.Add(local.NewAccount{Name: "x"}), local.ErrPassword},
		"a password that is long":   {store.SetPassword("alice", strings.Repeat("x", 1025)), local.ErrPassword},
		"removing nobody":           {store.Remove("x"), local.ErrUnknownAccount},
		"a password for nobody":     {store.SetPassword("x", "x"), local.ErrUnknownAccount},
		"a password without a text": {store.SetPassword("alice", "\xff"), local.ErrPassword},
	} {
		if !errors.Is(c.err, c.want) {
			t.Errorf("%s: error = %v, want %v", name, c.err, c.want)
		}
	}
	var bad *local.NameError
	for _, name := range []string{"", "Alice", "-x", "a b", "ä", strings.Repeat("x", 65), "../x"} {
		if err := store.Add(local.NewAccount{Name: name, Password: "x"}); !errors.As(err, &bad) {
			t.Errorf("Add(%q) = %v, want a *NameError", name, err)
		}
	}
	if err := store.Add(local.NewAccount{Name: "x", Display: "a\x07b", Password: "x"}); !errors.As(err, &bad) {
		t.Errorf("Add(display with a bell) = %v, want a *NameError", err)
	}
	if diff := cmp.Diff(before, list(t, store)); diff != "" {
		t.Errorf("what was refused has changed the file (-want +got):\n%s", diff)
	}
}

// TestStoresOnOneFile changes one file through many stores at once, as several
// processes would: each flock is an open file's own.
func TestStoresOnOneFile(t *testing.T) {
	store, path := openStore(t)
	const n = 20
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			other, err := local.OpenStore(path, local.CheapCost)
			if err != nil {
				t.Error(err)
				return
			}
			if err := other.Add(local.NewAccount{Name: fmt.Sprintf("user-%02d", i), Password: "x"}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got, want := len(list(t, store)), n+len(names); got != want {
		t.Errorf("accounts after %d concurrent additions = %d, want %d", n, got, want)
	}
}

// TestStoreInAnotherProcess runs this test program again as the process that
// adds an account.
func TestStoreInAnotherProcess(t *testing.T) {
	if path := os.Getenv("LOCAL_TEST_ADD"); path != "" {
		store, err := local.OpenStore(path, local.CheapCost)
		if err != nil {
			t.Fatal(err)
		}
		if err := store.Add(local.NewAccount{Name: "zoe", Password: "x"}); err != nil {
			t.Fatal(err)
		}
		return
	}
	c, _, path := newConnector(t)
	login(t, c, "alice", &sink{})
	cmd := exec.Command(os.Args[0], "-test.run=^TestStoreInAnotherProcess$")
	cmd.Env = append(os.Environ(), "LOCAL_TEST_ADD="+path)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("the other process: %v\n%s", err, out)
	}
	v, err := c.Login(t.Context(), broker.UpstreamLogin{Settings: settings, Account: "zoe", Password: "x"}, &sink{})
	if err != nil {
		t.Fatalf("Login of an account that another process added = %v", err)
	}
	if err := v.Logout(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestOpenStoreFaults(t *testing.T) {
	const hash = "$argon2id$v=19$m=8,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	entry := func(name, secret string) string {
		return fmt.Sprintf(`{"name": %q, "display": "", "password": %q}`, name, secret)
	}
	for name, c := range map[string]struct {
		data, problem string
		mode          fs.FileMode
	}{
		"not JSON":              {`{"format": 1,`, "no JSON at byte", 0o600},
		"a newer format":        {`{"format": 2, "users": []}`, "format 2", 0o600},
		"no format":             {`{}`, "format 0", 0o600},
		"an unknown field":      {`{"format": 1, "extra": 1}`, "extra", 0o600},
		"a wrong type":          {`{"format": 1, "accounts": 5}`, "accounts is of the wrong type", 0o600},
		"a name twice":          {`{"format": 1, "accounts": [` + entry("a", hash) + "," + entry("a", hash) + `]}`, "twice", 0o600},
		"a bad name":            {`{"format": 1, "accounts": [` + entry("A", hash) + `]}`, "account name", 0o600},
		"no hash":               {`{"format": 1, "accounts": [{"name": "a"}]}`, "no password", 0o600},
		"a plain password":      {`{"format": 1, "accounts": [` + entry("a", "s3cret") + `]}`, "not an argon2id hash", 0o600},
		"a hash without bounds": {`{"format": 1, "accounts": [` + entry("a", strings.Replace(hash, "m=8", "m=4000000000", 1)) + `]}`, "not an argon2id hash", 0o600},
		"open to others":        {`{"format": 1}`, "others", 0o644},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "accounts.json")
			if err := os.WriteFile(path, []byte(c.data), c.mode); err != nil {
				t.Fatal(err)
			}
			_, err := local.OpenStore(path, local.CheapCost)
			var fault *local.FileError
			if !errors.As(err, &fault) || !strings.Contains(fault.Problem, c.problem) || fault.Next == "" {
				t.Errorf("OpenStore = %v, want a *FileError with %q and what to do next", err, c.problem)
			}
			if strings.Contains(fmt.Sprint(err), "s3cret") {
				t.Errorf("OpenStore = %v, which repeats the file's content", err)
			}
		})
	}
}

func TestOpenStoreRefusesACostThatCannotBe(t *testing.T) {
	if _, err := local.OpenStore(filepath.Join(t.TempDir(), "a"), local.Cost{}); err == nil {
		t.Error("OpenStore with no cost succeeded")
	}
}
