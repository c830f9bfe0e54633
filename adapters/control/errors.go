package control

import "errors"

// What an [Operator] answers with, besides the errors of the domain and io/fs.
var (
	// ErrNotRunning tells that no appliance serves the data folder: there is no
	// socket, or nobody behind it.
	ErrNotRunning = errors.New("no appliance is running on this data folder")
	// ErrAlreadyRunning tells that another appliance serves the data folder.
	ErrAlreadyRunning = errors.New("another appliance is already running on this data folder")
	// ErrConnectionLost tells that the appliance went away before it had
	// answered; what was asked may or may not have been done.
	ErrConnectionLost = errors.New("the connection to the appliance was lost before it had answered")
	// ErrUnknownProjection tells that there is no projection of that name.
	ErrUnknownProjection = errors.New("no such projection")
	// ErrUnknownEvent tells that no event stands at a position.
	ErrUnknownEvent = errors.New("there is no such event")
	// ErrStopping tells that the appliance is stopping.
	ErrStopping = errors.New("the appliance is stopping")
	// ErrOtherVersion tells that the appliance does not know a request, or a
	// part of one.
	ErrOtherVersion = errors.New("the appliance does not understand this request; use the rollcall command of the version that is running")
)
