// Package wayintest tests router, dispatcher and the collaboration service's end
// of the link together, over loopback, with a device handler that echoes. It has
// no code of its own.
package wayintest
