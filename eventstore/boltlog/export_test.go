package boltlog

// HoldPacking keeps the packer still until release is called.
func (l *Log) HoldPacking() (release func()) {
	l.packing.Lock()
	return l.packing.Unlock
}
