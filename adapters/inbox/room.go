package inbox

import (
	"errors"
	"os"

	"go.etcd.io/bbolt"
)

const (
	// reserve is what puts leave over, so that what makes room, and answers,
	// can be written when the disk is full.
	reserve = 256 << 10
	// growStep is how much the file grows by at least.
	growStep = 256 << 10
)

// makeRoom sees to it that the file has the blocks for what is to be written, so
// that running out of room shows before anything is written rather than amid it.
// It gives an [broker.ErrInboxFull] only where the changes make the inbox fuller.
func (i *Inbox) makeRoom(tx *bbolt.Tx, ops []op) error {
	need, whole, fills := needs(ops)
	stats := i.db.Stats()
	need += reserve
	free := (stats.FreePageN + stats.PendingPageN) * pageSize
	info, err := i.file.Stat()
	if err != nil {
		return err
	}
	tail := int(info.Size() - tx.Size())
	missing := max(need-free-tail, whole-tail)
	if missing <= 0 {
		return nil
	}
	err = i.grow(info.Size(), roundUp(missing, growStep))
	if isFull(err) {
		err = i.grow(info.Size(), roundUp(missing, pageSize))
	}
	switch {
	case isFull(err) && fills:
		return full(err)
	case isFull(err):
		return nil // the reserve is for these
	}
	return err
}

func roundUp(n, step int) int64 { return int64((n + step - 1) / step * step) }

// needs gives how many bytes the changes may need in new pages, how many of them
// at most in pages that stand together, and whether they make the inbox fuller.
func needs(ops []op) (need, whole int, fills bool) {
	for _, o := range ops {
		n, f := o.need()
		need += n
		fills = fills || f
		if p, ok := o.(*put); ok && len(p.row) > pageSize/2 {
			whole += len(p.row) + pageSize
		}
	}
	return need + 16*pageSize, whole, fills
}

// grow makes the file longer, and syncs its length.
func (i *Inbox) grow(size, more int64) error {
	err := allocate(i.file, size, more)
	if errors.Is(err, errors.ErrUnsupported) {
		err = i.file.Truncate(size + more)
	}
	if err != nil {
		return os.NewSyscallError("grow "+i.path, err)
	}
	if err := i.file.Sync(); err != nil {
		return err
	}
	i.mu.Lock()
	i.stats.FileSize = size + more
	i.mu.Unlock()
	return nil
}
