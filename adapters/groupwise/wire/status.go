package wire

import "strconv"

// Status is how available somebody is.
type Status uint16

// The states.
const (
	StatusUnknown   Status = 0
	StatusOffline   Status = 1
	StatusAvailable Status = 2
	StatusBusy      Status = 3
	StatusAway      Status = 4
	StatusIdle      Status = 5
	StatusInvalid   Status = 6
)

// CommandSetStatus tells how the person is. The answer holds nothing.
const CommandSetStatus = "setstatus"

// SetStatus is what a setstatus request says.
type SetStatus struct {
	Status Status
	Text   string // what others see
	Reply  string // what the server answers in the person's place; empty: nothing
}

// Fields gives the request's fields.
func (s SetStatus) Fields() Fields {
	fields := Fields{TextField(TagStatus, strconv.Itoa(int(s.Status)))}
	if s.Text != "" {
		fields = append(fields, TextField(TagStatusText, s.Text))
	}
	if s.Reply != "" {
		fields = append(fields, TextField(TagMessageBody, s.Reply))
	}
	return fields
}

// ParseSetStatus reads a request's fields.
func ParseSetStatus(fields Fields) SetStatus {
	return SetStatus{
		Status: parseStatus(fields.Value(TagStatus)),
		Text:   fields.Value(TagStatusText),
		Reply:  fields.Value(TagMessageBody),
	}
}

func parseStatus(text string) Status {
	n, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return StatusUnknown
	}
	return Status(n)
}

// CommandPing shows that the client is there. Neither it nor its answer holds
// anything.
const CommandPing = "ping"
