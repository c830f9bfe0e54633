//go:build unix

package main

import "golang.org/x/sys/unix"

// hideTyping has a terminal not show what is typed, until showAgain is called. Lines
// can still be mended before they are sent, and keys still send signals.
func hideTyping(fd int) (showAgain func(), err error) {
	before, err := unix.IoctlGetTermios(fd, getTermios)
	if err != nil {
		return nil, err
	}
	hidden := *before
	hidden.Lflag &^= unix.ECHO
	hidden.Lflag |= unix.ICANON | unix.ISIG
	hidden.Iflag |= unix.ICRNL
	if err := unix.IoctlSetTermios(fd, setTermios, &hidden); err != nil {
		return nil, err
	}
	return func() { _ = unix.IoctlSetTermios(fd, setTermios, before) }, nil // a terminal that is gone needs it no more
}
