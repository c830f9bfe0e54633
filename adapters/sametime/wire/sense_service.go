package wire

// SenseService asks the server to say when a service is there, and is the server's
// answer once it is.
type SenseService struct{ Service Service }

// Type gives TypeSenseService.
func (*SenseService) Type() Type { return TypeSenseService }

func (*SenseService) name() string { return "SENSE_SERVICE" }

func (m *SenseService) fields(f form) { f.u32("service", (*uint32)(&m.Service)) }
