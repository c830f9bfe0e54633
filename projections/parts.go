package projections

import (
	"encoding/json"
	"fmt"

	"go.etcd.io/bbolt"
)

// Part is a part of a fold that is stored: a [Table], a [Cell].
type Part interface {
	Load(view *bbolt.Bucket) error
	Save(view *bbolt.Bucket) error
}

// Parts are all the parts of a fold. A fold that embeds them has Load and Save.
type Parts []Part

// Load takes up the stored parts.
func (p Parts) Load(view *bbolt.Bucket) error {
	for _, part := range p {
		if err := part.Load(view); err != nil {
			return err
		}
	}
	return nil
}

// Save writes what changed in the parts.
func (p Parts) Save(view *bbolt.Bucket) error {
	for _, part := range p {
		if err := part.Save(view); err != nil {
			return err
		}
	}
	return nil
}

// Cell is one value of a fold, stored under a key of its own while it is not
// zero.
type Cell[R comparable] struct {
	Value R

	key    string
	stored R // what the file has; zero if it has none
}

// NewCell gives a zero cell.
func NewCell[R comparable](key string) *Cell[R] { return &Cell[R]{key: key} }

// Clear sets the value to zero.
func (c *Cell[R]) Clear() {
	var zero R
	c.Value = zero
}

// Load takes up the stored value.
func (c *Cell[R]) Load(view *bbolt.Bucket) error {
	value := view.Get([]byte(c.key))
	if value == nil {
		return nil
	}
	if err := json.Unmarshal(value, &c.Value); err != nil {
		return fmt.Errorf("decode row %s: %w", c.key, err)
	}
	c.stored = c.Value
	return nil
}

// Save writes the value if it has changed.
func (c *Cell[R]) Save(view *bbolt.Bucket) error {
	var zero R
	if c.Value == c.stored {
		return nil
	}
	c.stored = c.Value
	if c.Value == zero {
		return view.Delete([]byte(c.key))
	}
	value, err := json.Marshal(c.Value)
	if err != nil {
		return fmt.Errorf("encode row %s: %w", c.key, err)
	}
	return view.Put([]byte(c.key), value)
}
