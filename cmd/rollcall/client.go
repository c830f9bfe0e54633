package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"rollcall/adapters/device"
)

// clientFlags are the flags that every client command knows.
type clientFlags struct {
	identity string
	giveUp   time.Duration
	stay     bool
}

func (a *app) clientCommand() *cobra.Command {
	var f clientFlags
	cmd := group(&cobra.Command{
		Use:   "client",
		Short: "Be a device: join, log in, send and receive messages",
		Long: `Speaks for one device. The identity file holds the device's key and, with the journal
beside it, what it must not forget of its sessions; keep both to yourself.

While it is logged in, it reads from standard input:
  @NAME TEXT      send TEXT to NAME
  /away [TEXT]    also /available, /busy, /idle, /offline: how you are
  /logout         log out; the end of the input does the same, unless --stay is given

With -o json it reads and writes one JSON object a line:
  {"send":{"to":"bob","body":"hello"}}    in; an "id" of your own may be added
  {"presence":{"show":"away","text":""}}  in
  {"logout":{}}                           in
  {"event":"message","from":"bob","body":"hello",...}  out; other events: accepted, resumed,
  rejected, coverage, roster, roster-changed, presence, typing, dropped, unreadable, sent,
  unanswered, error, ended, logged-out

Ctrl-C logs out. SIGTERM leaves without logging out: the session waits for 'rollcall
client resume'.

Exit codes: 0 logged out, 10 Server Busy, 11 Failed (300), 12 refused upstream,
13 not permitted or not enrolled, 14 no coverage, 15 session ended by the broker.`,
		Example: `  rollcall client join 'rollcall:AaBb...'
  rollcall client login --service office --account ada
  echo '@bob hello' | rollcall client login --service office --account ada --password-file secret
  rollcall client resume`,
	})
	cmd.PersistentFlags().StringVar(&f.identity, "identity", envOr("ROLLCALL_IDENTITY", ""), "the `FILE` with the device's identity (default rollcall/identity.json in the user's config folder); ROLLCALL_IDENTITY says the same")
	cmd.AddCommand(a.clientJoinCommand(&f), a.clientLoginCommand(&f), a.clientResumeCommand(&f))
	return cmd
}

// longestGiveUp is the most that can be given for --give-up; for ever is to give
// none.
const longestGiveUp = 365 * 24 * time.Hour

// sessionFlags are the flags of the commands that hold a session.
func (f *clientFlags) sessionFlags(cmd *cobra.Command) {
	cmd.Flags().Var(spanFlag{&f.giveUp, longestGiveUp}, "give-up", "how long to try to come back into coverage (default for ever)")
	cmd.Flags().BoolVar(&f.stay, "stay", false, "stay logged in when standard input ends")
}

// path gives the identity file.
func (f *clientFlags) path() (string, error) {
	if f.identity != "" {
		return f.identity, nil
	}
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", &usageError{fmt.Errorf("there is no config folder for this user (%w); name the identity file with --identity", err)}
	}
	return filepath.Join(dir, "rollcall", "identity.json"), nil
}

// open opens the identity and makes a client for it.
func (f *clientFlags) open() (*device.Identity, *device.Client, error) {
	path, err := f.path()
	if err != nil {
		return nil, nil, err
	}
	identity, err := device.OpenIdentity(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil, &exitError{exitNotPermitted, fmt.Errorf("there is no identity at %s: this device has not joined; ask for an enrolment string and run 'rollcall client join STRING'", path)}
	case err != nil:
		return nil, nil, err
	}
	return identity, device.NewClient(identity, device.Options{GiveUp: f.giveUp}), nil
}
