package wire

// CipherID names a way to encrypt a channel.
type CipherID uint16

// The ciphers. Newer clients have others, which are not known.
const (
	// CipherRC2_40: each side encrypts with the first five bytes of its own login
	// id.
	CipherRC2_40 CipherID = 0x0000
	// CipherRC2_128: the key comes from an exchange; the data is the public
	// number.
	CipherRC2_128 CipherID = 0x0001
)

// EncryptMode says what encryption one side wants, or takes.
type EncryptMode uint16

// The modes.
const (
	EncryptNone    EncryptMode = 0x0000
	EncryptAny     EncryptMode = 0x0001 // whatever the other side likes
	EncryptAll     EncryptMode = 0x0002 // any cipher, but one
	EncryptRC2_40  EncryptMode = 0x1000
	EncryptRC2_128 EncryptMode = 0x2000
)

// EncryptItem is a cipher with what the other side must know of it.
type EncryptItem struct {
	Cipher CipherID
	Data   []byte
}

func (i *EncryptItem) fields(f form) {
	f.u16("cipher", (*uint16)(&i.Cipher))
	f.opaque("data", &i.Data)
}

// EncryptOffer is what the side that creates a channel can do.
type EncryptOffer struct {
	Mode  EncryptMode
	Items []EncryptItem
}

func (o *EncryptOffer) fields(f form) {
	there := len(o.Items) > 0
	f.group("encryption", func(f form) {
		f.u16("mode", (*uint16)(&o.Mode))
		f.block("offer", &there, func(f form) {
			list(f, "ciphers", &o.Items, 6, func(f form, i *EncryptItem) { i.fields(f) })
			again := uint16(o.Mode)
			f.constant(byte(again>>8), byte(again), 0)
		})
	})
	trailer(f, there)
}

// EncryptAcceptance is what the side that accepts a channel has chosen.
type EncryptAcceptance struct {
	Mode EncryptMode
	Item *EncryptItem // nil: no encryption
	// Offered is the mode of the offer; only with an item.
	Offered EncryptMode
}

func (a *EncryptAcceptance) fields(f form) {
	there := a.Item != nil
	f.group("encryption", func(f form) {
		f.u16("mode", (*uint16)(&a.Mode))
		f.block("chosen", &there, func(f form) {
			if a.Item == nil {
				a.Item = new(EncryptItem)
			}
			a.Item.fields(f)
			if f.more() {
				f.u16("offered", (*uint16)(&a.Offered))
				f.constant(0)
			}
		})
	})
	trailer(f, there)
}

// trailer is what stands at the end of CREATE and ACCEPT. Nobody knows its
// meaning; without encryption real clients write less of it.
func trailer(f form, encryption bool) {
	if encryption {
		f.constant(0, 0, 0, 0)
	}
	f.constant(0, 0, 0, 0, 0, 7)
}
