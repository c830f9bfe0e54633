package projections

import (
	"cmp"
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"

	"go.etcd.io/bbolt"
)

// Table is the rows of one kind in a fold: all of them in memory, under ids, with
// the changed ones marked, so that a record costs no access to the file and
// Save costs what has changed. A row that came and went in between costs
// nothing. A Table is not safe for concurrent use.
type Table[K ~uint64, R any] struct {
	kind    string
	rows    map[K]*tableRow[K, R]
	last    *tableRow[K, R] // that was looked up last, which often is the next one too
	changed []*tableRow[K, R]
	spare   []*tableRow[K, R]
}

type tableRow[K ~uint64, R any] struct {
	value  R
	id     K
	place  int  // in Table.changed, from 1; zero if it is not there
	stored bool // the file has a row under this id
	gone   bool
}

// NewTable gives an empty table, whose rows are stored as kind/id.
func NewTable[K ~uint64, R any](kind string) *Table[K, R] {
	return &Table[K, R]{kind: kind, rows: make(map[K]*tableRow[K, R])}
}

// Get gives the row under id, only to look at, or nil.
func (t *Table[K, R]) Get(id K) *R {
	if r := t.row(id); r != nil {
		return &r.value
	}
	return nil
}

// row gives the row under id, or nil.
func (t *Table[K, R]) row(id K) *tableRow[K, R] {
	if t.last != nil && t.last.id == id {
		return t.last
	}
	r := t.rows[id]
	if r != nil {
		t.last = r
	}
	return r
}

// Change gives the row under id to change until the next call, or nil.
func (t *Table[K, R]) Change(id K) *R {
	r := t.row(id)
	if r == nil {
		return nil
	}
	t.mark(r)
	return &r.value
}

// Add gives a new, empty row under id to fill until the next call. A row that
// stood there is gone.
func (t *Table[K, R]) Add(id K) *R {
	t.Delete(id)
	r := t.unused()
	r.id = id
	t.rows[id], t.last = r, r
	t.mark(r)
	return &r.value
}

// Delete removes the row under id, if there is one.
func (t *Table[K, R]) Delete(id K) {
	r := t.row(id)
	if r == nil {
		return
	}
	delete(t.rows, id)
	t.last = nil
	if r.stored {
		r.gone = true
		t.mark(r)
		return
	}
	t.unmark(r)
	t.recycle(r)
}

// All gives every row to look at, in no order.
func (t *Table[K, R]) All() iter.Seq2[K, *R] {
	return func(yield func(K, *R) bool) {
		for id, r := range t.rows {
			if !yield(id, &r.value) {
				return
			}
		}
	}
}

// Len gives the number of rows.
func (t *Table[K, R]) Len() int { return len(t.rows) }

func (t *Table[K, R]) mark(r *tableRow[K, R]) {
	if r.place == 0 {
		t.changed = append(t.changed, r)
		r.place = len(t.changed)
	}
}

func (t *Table[K, R]) unmark(r *tableRow[K, R]) {
	if r.place == 0 {
		return
	}
	n := len(t.changed) - 1
	last := t.changed[n]
	t.changed[r.place-1], last.place = last, r.place
	t.changed = t.changed[:n]
}

func (t *Table[K, R]) recycle(r *tableRow[K, R]) {
	*r = tableRow[K, R]{}
	t.spare = append(t.spare, r)
}

func (t *Table[K, R]) unused() *tableRow[K, R] {
	n := len(t.spare)
	if n == 0 {
		return new(tableRow[K, R])
	}
	r := t.spare[n-1]
	t.spare = t.spare[:n-1]
	return r
}

// Load takes up the stored rows.
func (t *Table[K, R]) Load(view *bbolt.Bucket) error {
	for id, value := range Rows[K, R](view, t.kind) {
		if value.Err != nil {
			return value.Err
		}
		t.rows[id] = &tableRow[K, R]{value: value.Row, id: id, stored: true}
	}
	return nil
}

// Save writes the changed rows: first those that are gone, since another may
// stand under the same id by now. They go in the order of their keys: in any other
// bbolt moves, for each new row, half of those that the transaction has put so far.
func (t *Table[K, R]) Save(view *bbolt.Bucket) error {
	slices.SortFunc(t.changed, func(a, b *tableRow[K, R]) int { return cmp.Compare(a.id, b.id) })
	for _, r := range t.changed {
		if r.gone {
			if err := view.Delete(RowKey(t.kind, r.id)); err != nil {
				return err
			}
		}
	}
	for _, r := range t.changed {
		if r.place = 0; r.gone {
			t.recycle(r)
		} else if err := t.put(view, r); err != nil {
			return err
		}
	}
	t.changed = t.changed[:0]
	return nil
}

func (t *Table[K, R]) put(view *bbolt.Bucket, r *tableRow[K, R]) error {
	value, err := json.Marshal(&r.value)
	if err != nil {
		return fmt.Errorf("encode row %s: %w", RowKey(t.kind, r.id), err)
	}
	r.stored = true
	return view.Put(RowKey(t.kind, r.id), value)
}

// RowKey gives the key of a row: its kind, a slash, and its id in 20 digits, so
// that the order of the keys is that of the ids.
func RowKey[K ~uint64](kind string, id K) []byte {
	return fmt.Appendf(nil, "%s/%020d", kind, uint64(id))
}

// Row is a decoded row, or why it cannot be decoded.
type Row[R any] struct {
	Row R
	Err error
}

// Rows gives every row of one kind by ascending id, up to the first that cannot
// be decoded.
func Rows[K ~uint64, R any](view *bbolt.Bucket, kind string) iter.Seq2[K, Row[R]] {
	return func(yield func(K, Row[R]) bool) {
		c := view.Cursor()
		prefix := kind + "/"
		for k, v := c.Seek([]byte(prefix)); strings.HasPrefix(string(k), prefix); k, v = c.Next() {
			id, row := decodeRow[K, R](k, v, prefix)
			if !yield(id, row) || row.Err != nil {
				return
			}
		}
	}
}

// GetRow gives one row; ok is false if there is none.
func GetRow[K ~uint64, R any](view *bbolt.Bucket, kind string, id K) (row R, ok bool, err error) {
	key := RowKey(kind, id)
	value := view.Get(key)
	if value == nil {
		return row, false, nil
	}
	_, r := decodeRow[K, R](key, value, kind+"/")
	return r.Row, r.Err == nil, r.Err
}

func decodeRow[K ~uint64, R any](key, value []byte, prefix string) (K, Row[R]) {
	var row Row[R]
	id, err := strconv.ParseUint(string(key[len(prefix):]), 10, 64)
	if err == nil {
		err = json.Unmarshal(value, &row.Row)
	}
	if err != nil {
		row.Err = fmt.Errorf("decode row %s: %w", key, err)
	}
	return K(id), row
}
