package wire

// LoginInfo says who a login is.
type LoginInfo struct {
	// LoginID names the login; its first five bytes are a key, see
	// [CipherRC2_40].
	LoginID    string
	ClientType uint16
	UserID     string
	Name       string // for people
	Community  string // usually empty
	Full       bool   // whether the rest is there
	// The rest.
	Description string
	Address     uint32
	Server      string
}

func (i *LoginInfo) fields(f form) {
	f.group("login", func(f form) {
		f.text("login_id", &i.LoginID)
		f.u16("client_type", &i.ClientType)
		f.text("user_id", &i.UserID)
		f.text("name", &i.Name)
		f.text("community", &i.Community)
		f.flag("full", &i.Full)
		if i.Full {
			f.text("description", &i.Description)
			f.u32("address", &i.Address)
			f.text("server", &i.Server)
		}
	})
}

// optionalLogin is a [LoginInfo] behind a flag that tells whether it is there.
func optionalLogin(f form, name string, i **LoginInfo) {
	there := *i != nil
	f.flag(name, &there)
	if !there {
		*i = nil
		return
	}
	if *i == nil {
		*i = new(LoginInfo)
	}
	(*i).fields(f)
}

// IDBlock names a user, or a login, of a community.
type IDBlock struct{ ID, Community string }

func (b *IDBlock) fields(f form) {
	f.text("id", &b.ID)
	f.text("community", &b.Community)
}

// Status is how somebody is.
type Status uint16

// The states, and a bit that may be added to each.
const (
	StatusOffline Status = 0x0000
	StatusMeeting Status = 0x0008
	StatusActive  Status = 0x0020
	StatusIdle    Status = 0x0040
	StatusAway    Status = 0x0060
	StatusBusy    Status = 0x0080
	StatusMobile  Status = 0x0200
)

// UserStatus is how somebody is, in full.
type UserStatus struct {
	Status Status
	// Time is when it became so, in a unit that nobody is sure of.
	Time uint32
	Text string
}

func (s *UserStatus) fields(f form) {
	f.group("status", func(f form) {
		f.u16("", (*uint16)(&s.Status))
		f.u32("time", &s.Time)
		f.text("text", &s.Text)
	})
}

// PrivacyInfo says who may see somebody: everybody but the listed, or only they.
type PrivacyInfo struct {
	Deny  bool // the listed may not
	Users []PrivacyUser
}

// PrivacyUser is somebody in a [PrivacyInfo].
type PrivacyUser struct {
	Full          bool
	ID, Community string
	Name          string // only if Full
}

func (p *PrivacyInfo) fields(f form) {
	f.group("privacy", func(f form) {
		f.flag("deny", &p.Deny)
		list(f, "users", &p.Users, 5, func(f form, u *PrivacyUser) {
			f.flag("full", &u.Full)
			f.text("id", &u.ID)
			f.text("community", &u.Community)
			if u.Full {
				f.text("name", &u.Name)
			}
		})
	})
}
