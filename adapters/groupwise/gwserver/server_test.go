package gwserver_test

import (
	"net"
	"testing"

	"rollcall/adapters/groupwise/gwserver"
)

var users = []gwserver.User{
	{Name: "alice", Password: "s3cret & pass+%", GivenName: "Alice", Surname: "Archer", Contacts: []gwserver.Entry{
		{Person: "bob", Folder: "Work"}, {Person: "carol", Name: "Carol C"}}},
	{Name: "bob", Password: "b", GivenName: "Bob", Surname: "Baker", Title: "Baker", Contacts: []gwserver.Entry{
		{Person: "alice"}, {Person: "carol", Folder: "Work"}}},
	{Name: "carol", Password: "c", FullName: "Carol Cooper", Contacts: []gwserver.Entry{{Person: "alice"}, {Person: "bob"}}},
}

// start gives a running server and its address.
func start(t *testing.T, change func(*gwserver.Config)) (*gwserver.Server, gwserver.Config, string) {
	t.Helper()
	certificate, err := gwserver.NewCertificate("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	config := gwserver.Config{Certificate: certificate, Users: users}
	if change != nil {
		change(&config)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := gwserver.New(config)
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	t.Cleanup(func() {
		s.Close()
		if err := <-served; err != nil {
			t.Errorf("Serve = %v, want nil after Close", err)
		}
	})
	return s, config, l.Addr().String()
}
