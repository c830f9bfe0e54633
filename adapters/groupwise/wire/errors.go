package wire

import "fmt"

// FormatError tells that bytes are not what the protocol has there. After it the
// rest of the connection cannot be understood.
type FormatError struct {
	What    string // what was being read, such as "response"
	Problem string
}

func (e *FormatError) Error() string { return e.What + ": " + e.Problem }

func badFormat(what, format string, args ...any) error {
	return &FormatError{what, fmt.Sprintf(format, args...)}
}
