package main

import (
	"errors"
	"fmt"

	"rollcall/adapters/device"
	"rollcall/domain"
)

// rejectExits are the exit codes for the reasons of a refused login.
var rejectExits = map[domain.RejectCode]int{
	domain.RejectServerBusy:          exitBusy,
	domain.RejectFailed300:           exitFailed300,
	domain.RejectUnknownService:      exitNotPermitted,
	domain.RejectNotPermitted:        exitNotPermitted,
	domain.RejectBackedOff:           exitRefused,
	domain.RejectBadCredentials:      exitRefused,
	domain.RejectUpstreamRefused:     exitRefused,
	domain.RejectUpstreamUnreachable: exitRefused,
	domain.RejectUpstreamTimeout:     exitRefused,
	domain.RejectUpstreamFull:        exitRefused,
	domain.RejectInterrupted:         exitNoCoverage,
}

// shown are the words that a device shows to its person, where they are fixed.
var shown = map[domain.RejectCode]string{
	domain.RejectServerBusy: "Server Busy",
	domain.RejectFailed300:  "Failed (300)",
}

// asks are what a person can ask an administrator for, where nothing else helps.
var asks = map[domain.RejectCode]string{
	domain.RejectUnknownService: "the server has no service of that name: ask its operator, whom 'rollcall service list' tells which there are",
	domain.RejectNotPermitted:   "this device's person may not use that account: ask the operator, who permits it with 'rollcall device enrol --person PERSON --account SERVICE:ACCOUNT'",
}

// clientError gives an error of the device library its exit code.
func clientError(err error) error {
	var (
		rejected *device.RejectedError
		ended    *device.EndedError
		lost     *device.NoCoverageError
		misread  *device.EnrolmentError
	)
	switch {
	case err == nil:
		return nil
	case errors.As(err, &rejected):
		code, known := rejectExits[rejected.Code]
		if !known {
			code = exitRefused
		}
		if next := asks[rejected.Code]; next != "" {
			err = fmt.Errorf("%w; %s", err, next)
		}
		if words := shown[rejected.Code]; words != "" {
			err = fmt.Errorf("%s: %w", words, err)
		}
		return &exitError{code, err}
	case errors.As(err, &ended):
		return &exitError{exitEnded, err}
	case errors.As(err, &lost):
		return &exitError{exitNoCoverage, err}
	case errors.As(err, &misread):
		return &usageError{err}
	case errors.Is(err, device.ErrNoAnswer), errors.Is(err, device.ErrUnknownSecret),
		errors.Is(err, device.ErrOfferExpired), errors.Is(err, device.ErrOfferSpent), errors.Is(err, device.ErrNoSession):
		return &exitError{exitNotPermitted, err}
	}
	return err
}
