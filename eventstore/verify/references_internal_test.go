package verify

import "rollcall/domain"

// EventsWithoutReferences gives the event types that the table lacks.
func EventsWithoutReferences() (names []string) {
	for _, t := range domain.EventTypes() {
		if references[t] == nil {
			names = append(names, t.String())
		}
	}
	return names
}
