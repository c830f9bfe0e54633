package wire

// Admin is a text from the server's administrator to everybody.
type Admin struct{ Text string }

// Type gives TypeAdmin.
func (*Admin) Type() Type { return TypeAdmin }

func (*Admin) name() string { return "ADMIN" }

func (m *Admin) fields(f form) { f.text("text", &m.Text) }
