package wire

// SetUserStatus says how the person is: from the client to change it, from the
// server to tell the person's logins.
type SetUserStatus struct{ Status UserStatus }

// Type gives TypeSetUserStatus.
func (*SetUserStatus) Type() Type { return TypeSetUserStatus }

func (*SetUserStatus) name() string { return "SET_USER_STATUS" }

func (m *SetUserStatus) fields(f form) { m.Status.fields(f) }
