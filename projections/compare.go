package projections

import (
	"bytes"
	"fmt"

	"go.etcd.io/bbolt"

	"rollcall/domain"
)

// Difference is the first row, by its key, that two views do not share.
type Difference struct {
	Key string
	// Live and Rebuilt are the row's values; nil where the view has no such row.
	Live, Rebuilt []byte
	// Position is that as of which both views stand.
	Position domain.Position
}

// String tells the difference in one line.
func (d *Difference) String() string {
	return fmt.Sprintf("as of position %d, row %s: live %s, rebuilt %s", d.Position, d.Key, shown(d.Live), shown(d.Rebuilt))
}

func shown(value []byte) string {
	if value == nil {
		return "missing"
	}
	return string(value)
}

// compare gives the first difference between two views, or nil.
func compare(live, rebuilt *bbolt.Bucket) *Difference {
	l, r := live.Cursor(), rebuilt.Cursor()
	lk, lv := l.First()
	rk, rv := r.First()
	for lk != nil || rk != nil {
		switch order := compareKeys(lk, rk); {
		case order < 0:
			return &Difference{Key: string(lk), Live: bytes.Clone(lv)}
		case order > 0:
			return &Difference{Key: string(rk), Rebuilt: bytes.Clone(rv)}
		case !bytes.Equal(lv, rv):
			return &Difference{Key: string(lk), Live: bytes.Clone(lv), Rebuilt: bytes.Clone(rv)}
		}
		lk, lv = l.Next()
		rk, rv = r.Next()
	}
	return nil
}

// compareKeys orders keys; nil, the end of a view, comes last.
func compareKeys(a, b []byte) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return +1
	case b == nil:
		return -1
	}
	return bytes.Compare(a, b)
}
