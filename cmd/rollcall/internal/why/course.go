package why

import (
	"slices"

	"rollcall/adapters/control"
	"rollcall/domain"
)

// mostCoverage is how many events about coverage a course has: a device that
// comes and goes for weeks has thousands.
const mostCoverage = 10

// course gathers the events of a session.
type course struct {
	rows     []control.AuditRow
	coverage int // how many of them are about coverage
	omitted  uint64
}

func (c *course) add(row control.AuditRow) {
	c.rows = append(c.rows, row)
	if !aboutCoverage(row) {
		return
	}
	if c.coverage++; c.coverage <= mostCoverage {
		return
	}
	oldest := slices.IndexFunc(c.rows, aboutCoverage)
	c.rows = slices.Delete(c.rows, oldest, oldest+1)
	c.coverage--
	c.omitted++
}

func aboutCoverage(row control.AuditRow) bool {
	switch row.Type {
	case domain.TypeCoverageLost.String(), domain.TypeCoverageRegained.String(), domain.TypeSessionResumed.String():
		return true
	}
	return false
}
