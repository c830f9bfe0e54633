package main

import "golang.org/x/sys/windows"

// hideTyping has a terminal not show what is typed, until showAgain is called. Lines
// can still be mended before they are sent, and keys still interrupt.
func hideTyping(fd int) (showAgain func(), err error) {
	console := windows.Handle(fd)
	var before uint32
	if err := windows.GetConsoleMode(console, &before); err != nil {
		return nil, err
	}
	hidden := before&^windows.ENABLE_ECHO_INPUT | windows.ENABLE_LINE_INPUT | windows.ENABLE_PROCESSED_INPUT
	if err := windows.SetConsoleMode(console, hidden); err != nil {
		return nil, err
	}
	return func() { _ = windows.SetConsoleMode(console, before) }, nil // a console that is gone needs it no more
}
