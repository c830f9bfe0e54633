package wire

// The features that a channel for instant messages can have.
const (
	IMPlain      uint32 = 1          // text and typing
	IMNotesBuddy uint32 = 0x00033453 // also HTML, MIME and subjects
	IMPlace      uint32 = 0x00000019 // a channel to invite to a place
)

// IMOffer is the additional data of a CREATE for instant messages.
type IMOffer struct{ Features uint32 }

func (*IMOffer) name() string { return "im-offer" }

func (p *IMOffer) fields(f form) {
	f.constant(0, 0, 0, 1)
	f.u32("features", &p.Features)
}

// IMAnswer is the additional data of an ACCEPT for instant messages.
type IMAnswer struct {
	Features uint32
	Status   UserStatus // of who accepts
}

func (*IMAnswer) name() string { return "im-answer" }

func (p *IMAnswer) fields(f form) {
	f.constant(0, 0, 0, 1)
	f.u32("features", &p.Features)
	f.constant(0, 0, 0, 2)
	if f.more() {
		p.Status.fields(f)
	}
}
