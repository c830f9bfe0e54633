package wire

const (
	kindStorageSave  = 6
	kindStorageSaved = 7
)

// StorageSave stores a value.
type StorageSave struct {
	Request uint32
	Items   []StorageItem // one
}

// Kind gives 6.
func (*StorageSave) Kind() uint16 { return kindStorageSave }

func (*StorageSave) name() string { return "storage-save" }

func (m *StorageSave) fields(f form) {
	f.u32("request", &m.Request)
	list(f, "items", &m.Items, 12, func(f form, i *StorageItem) { i.fields(f) })
}

// StorageSaved answers a [StorageSave].
type StorageSaved struct {
	Request uint32
	Result  Reason
}

// Kind gives 7.
func (*StorageSaved) Kind() uint16 { return kindStorageSaved }

func (*StorageSaved) name() string { return "storage-saved" }

func (m *StorageSaved) fields(f form) {
	f.u32("request", &m.Request)
	reason(f, &m.Result)
}
