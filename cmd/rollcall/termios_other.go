//go:build aix || linux || solaris

package main

import "golang.org/x/sys/unix"

// How a terminal is asked how it is set, and set.
const (
	getTermios = unix.TCGETS
	setTermios = unix.TCSETS
)
