//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package main

import "golang.org/x/sys/unix"

// How a terminal is asked how it is set, and set.
const (
	getTermios = unix.TIOCGETA
	setTermios = unix.TIOCSETA
)
