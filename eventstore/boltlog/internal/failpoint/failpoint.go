package failpoint

// The places, in the order of the work they lie in.
const (
	CreateJournal    = "create-journal"    // the journal's first segment is there, log.db is not
	CreateLinked     = "create-linked"     // log.db has its name, the folder is not synced
	AppendBefore     = "append-before"     // nothing of the frame is written
	AppendWritten    = "append-written"    // the frame is written and not synced
	AppendSynced     = "append-synced"     // the frame is synced and not acknowledged
	PackBefore       = "pack-before"       // a run is packed, the transaction not begun
	PackFilled       = "pack-filled"       // the transaction is full and not committed
	PackCommitted    = "pack-committed"    // the transaction is committed, readers do not know
	RecycleBefore    = "recycle-before"    // a segment is free
	RecycleHidden    = "recycle-hidden"    // it has lost its name
	RecycleZeroed    = "recycle-zeroed"    // it is zeroed and synced, without its new name
	RecycleNamed     = "recycle-named"     // it has its new name, the folder is not synced
	SegmentFilled    = "segment-filled"    // a new segment is written and not synced
	SegmentSynced    = "segment-synced"    // a new segment is synced, without its name
	SegmentNamed     = "segment-named"     // a new segment has its name, the folder is not synced
	RecoverBefore    = "recover-before"    // the journal is read, nothing is repaired
	RecoverZeroed    = "recover-zeroed"    // a torn frame is zeroed and not synced
	RecoverRewritten = "recover-rewritten" // the last frame is written again and not synced
	RecoverSynced    = "recover-synced"    // both are synced
	BackupFilled     = "backup-filled"     // the copy is full and has no name
	CompactFilled    = "compact-filled"    // the new file is there, the old one is the log
	CompactLinked    = "compact-linked"    // the old file has a second name
	CompactDecided   = "compact-decided"   // the journal is set aside: the new file is the log; the folder is not synced
	CompactReplaced  = "compact-replaced"  // the new file has the log's name, the folder is not synced
	ShredZeroed      = "shred-zeroed"      // a file is zeroed and synced, and not removed
	FinishBefore     = "finish-before"     // an interrupted compaction is to be brought to its end
	CloseBefore      = "close-before"      // the log is to be closed, the mark not written
	CloseMarked      = "close-marked"      // the mark is written, log.db does not know
	SnapshotHalf     = "snapshot-half"     // a part of a snapshot is written, under another name
	SnapshotSynced   = "snapshot-synced"   // it is written and synced, under another name
	SnapshotNamed    = "snapshot-named"    // it has its name, the folder is not synced
)

// All gives every place.
func All() []string {
	return []string{
		CreateJournal, CreateLinked, AppendBefore, AppendWritten, AppendSynced, PackBefore, PackFilled, PackCommitted,
		RecycleBefore, RecycleHidden, RecycleZeroed, RecycleNamed, SegmentFilled, SegmentSynced, SegmentNamed,
		RecoverBefore, RecoverZeroed, RecoverRewritten, RecoverSynced, BackupFilled,
		CompactFilled, CompactLinked, CompactDecided, CompactReplaced, ShredZeroed, FinishBefore, CloseBefore, CloseMarked,
		SnapshotHalf, SnapshotSynced, SnapshotNamed,
	}
}

// Hook is called with each place that is reached. Only tests set it, before they
// use a log.
var Hook func(place string)

// Reach tells that a place is reached.
func Reach(place string) {
	if Hook != nil {
		Hook(place)
	}
}
