// Package failpoint names the places of the log at which a test may end the
// process. In production no hook is set, and reaching a place costs one
// comparison.
package failpoint
