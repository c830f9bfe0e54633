package main

import (
	"errors"
	"io/fs"
	"syscall"

	"rollcall/adapters/control"
	"rollcall/adapters/device"
	"rollcall/adapters/dispatcher"
	"rollcall/adapters/inbox"
	"rollcall/adapters/local"
	"rollcall/cmd/rollcall/internal/config"
	"rollcall/domain"
	"rollcall/eventstore"
	"rollcall/projections"
)

// The exit codes. Scripts rely on them: they are never reused. The page
// docs/operating.md lists them.
const (
	exitOK         = 0
	exitFailure    = 1 // anything not named below
	exitUsage      = 2 // the command line is wrong
	exitConfig     = 3 // a setting is wrong: of the configuration or of a service
	exitData       = 4 // the data folder cannot be used: in use, not writable, not there, its disk full or failing
	exitDamage     = 5 // the log is damaged, or from a newer version
	exitListen     = 6 // an address cannot be listened on
	exitUnknown    = 7 // what was named is not there: a service, account, session, device
	exitDifference = 8 // a comparison found a difference
	exitExists     = 9 // what was to be made is there already: an account, a device's identity

	exitBusy         = 10 // client: Server Busy
	exitFailed300    = 11 // client: Failed (300)
	exitRefused      = 12 // client: the upstream server let nobody in
	exitNotPermitted = 13 // client: not permitted, or not enrolled
	exitNoCoverage   = 14 // client: the appliance cannot be reached
	exitEnded        = 15 // client: the session was ended by the broker

	// As shells have it for a program that ends by SIGPIPE, number 13.
	exitReaderGone = 128 + 13 // nobody read the output any more
)

// exitError gives an error an exit code of its own. Without an error inside,
// everything has been said already.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return "done"
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// usageError tells that the command line is wrong.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }

func (e *usageError) Unwrap() error { return e.err }

// exitCode gives the code for an error of any kind.
func exitCode(err error) int {
	var own *exitError
	if errors.As(err, &own) {
		return own.code
	}
	for _, c := range exitCases {
		if c.matches(err) {
			return c.code
		}
	}
	return exitFailure
}

// exitCases are tried in their order.
var exitCases = []struct {
	code    int
	matches func(error) bool
}{
	{exitUsage, is[*usageError]},
	{exitUsage, is[*local.NameError]},
	{exitUsage, isAny(device.ErrLabel, local.ErrPassword)},
	{exitConfig, is[*config.Error]},
	{exitConfig, is[*domain.SettingError]},
	{exitDamage, is[*eventstore.DamageError]},
	{exitDamage, is[*eventstore.ChainError]},
	{exitDamage, is[*eventstore.FormatError]},
	{exitDamage, is[*inbox.DamageError]},
	{exitDamage, is[*inbox.FormatError]},
	{exitData, is[*inbox.InUseError]},
	{exitData, is[*inbox.OtherLogError]},
	{exitData, is[*eventstore.InUseError]},
	{exitData, is[*eventstore.CopyError]},
	{exitData, is[*dispatcher.IdentityError]},
	{exitData, is[*device.IdentityError]},
	{exitData, is[*device.KeyFileError]},
	{exitData, isAny(device.ErrIdentityInUse)},
	{exitData, is[*local.FileError]},
	{exitData, is[*projections.DamageError]},
	{exitData, is[*projections.StaleError]},
	{exitData, isAny(control.ErrAlreadyRunning)},
	{exitListen, is[*listenError]},
	{exitExists, isAny(local.ErrAccountExists)},
	{exitUnknown, isAny(domain.ErrUnknownService, domain.ErrUnknownPerson, domain.ErrUnknownAccount,
		domain.ErrUnknownDevice, domain.ErrUnknownSession, domain.ErrDeviceRevoked, control.ErrUnknownProjection,
		control.ErrUnknownEvent, local.ErrUnknownAccount)},
	{exitData, isAny(fs.ErrPermission, fs.ErrNotExist, syscall.ENOTDIR, syscall.EROFS, syscall.ENOSPC, syscall.EDQUOT, syscall.EIO,
		eventstore.ErrFull, eventstore.ErrFailed, eventstore.ErrReadOnly)},
}

func is[E error](err error) bool {
	var e E
	return errors.As(err, &e)
}

func isAny(targets ...error) func(error) bool {
	return func(err error) bool {
		for _, target := range targets {
			if errors.Is(err, target) {
				return true
			}
		}
		return false
	}
}
