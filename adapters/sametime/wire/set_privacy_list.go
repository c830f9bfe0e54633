package wire

// SetPrivacyList says who may see the person: from the client to change it, from
// the server to tell the person's logins.
type SetPrivacyList struct{ Privacy PrivacyInfo }

// Type gives TypeSetPrivacyList.
func (*SetPrivacyList) Type() Type { return TypeSetPrivacyList }

func (*SetPrivacyList) name() string { return "SET_PRIVACY_LIST" }

func (m *SetPrivacyList) fields(f form) { m.Privacy.fields(f) }
