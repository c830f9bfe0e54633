package wire

const (
	kindStorageLoad   = 4
	kindStorageLoaded = 5
)

// StorageKey names one of the values that a person keeps on the server.
type StorageKey uint32

// KeyContacts is the key of the contact list, see [ParseContactList]. Its value is
// one string, see [StringValue].
const KeyContacts StorageKey = 0

// StorageLoad asks for a value.
type StorageLoad struct {
	Request uint32
	Key     StorageKey
}

// Kind gives 4.
func (*StorageLoad) Kind() uint16 { return kindStorageLoad }

func (*StorageLoad) name() string { return "storage-load" }

func (m *StorageLoad) fields(f form) {
	f.u32("request", &m.Request)
	f.constant(0, 0, 0, 1)
	f.u32("key", (*uint32)(&m.Key))
}

// StorageLoaded answers a [StorageLoad].
type StorageLoaded struct {
	Request uint32
	Result  Reason
	Items   []StorageItem // one, or none if nothing was ever stored
}

// StorageItem is a value under its key.
type StorageItem struct {
	Key   StorageKey
	Value []byte
}

func (i *StorageItem) fields(f form) {
	f.marked(func(f form) {
		f.u32("key", (*uint32)(&i.Key))
		f.opaque("value", &i.Value)
	})
}

// Kind gives 5.
func (*StorageLoaded) Kind() uint16 { return kindStorageLoaded }

func (*StorageLoaded) name() string { return "storage-loaded" }

func (m *StorageLoaded) fields(f form) {
	f.u32("request", &m.Request)
	reason(f, &m.Result)
	if f.more() {
		list(f, "items", &m.Items, 12, func(f form, i *StorageItem) { i.fields(f) })
	}
}

// StringValue is a stored value that is one string.
type StringValue struct{ Text string }

func (*StringValue) name() string { return "string-value" }

func (v *StringValue) fields(f form) { f.text("text", &v.Text) }
