package groupwise_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"rollcall/adapters/groupwise"
	"rollcall/adapters/groupwise/gwserver"
	"rollcall/adapters/groupwise/wire"
	"rollcall/domain"
	"rollcall/domain/broker"
)

func TestTotalIsTheServersDefault(t *testing.T) {
	if n, set := groupwise.New().Total().Get(); n != 5120 || !set {
		t.Errorf("Total() = %d, %t; want 5120", n, set)
	}
}

func TestRosterHasFoldersAndNames(t *testing.T) {
	d := newDouble(t, func(c *gwserver.Config) {
		c.Users[3].Contacts = []gwserver.Entry{
			{Person: "bob", Folder: "Work", Name: "Bobby"}, {Person: "bob", Folder: "Chess"}, {Person: "carol"},
			{Person: "dave"}, // oneself
		}
	})
	_, s := d.login(t, "dave")
	got := await(t, s, func(broker.RosterReceived) bool { return true })
	want := broker.RosterReceived{Contacts: []broker.Contact{
		{Address: "bob", Name: "Bobby", Groups: []string{"Work", "Chess"}}, {Address: "carol", Name: "The carol"},
	}}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("roster (-want +got):\n%s", diff)
	}
}

func TestConversationIsKeptAndMadeAgain(t *testing.T) {
	var made counter
	d := newDouble(t, func(c *gwserver.Config) { c.Trace = made.count("> createconf") })
	alice, hears := d.login(t, "alice")
	bob, _ := d.login(t, "bob")
	awaitShow(t, hears, "bob", broker.ShowAvailable)
	send(t, alice, "bob", "one")
	send(t, alice, "BOB", "two")
	if n := made.get(); n != 1 {
		t.Errorf("two messages made %d conversations, want 1", n)
	}

	// Bob is gone and comes back: the server would drop what is sent to the old one.
	if err := bob.Logout(t.Context()); err != nil {
		t.Fatal(err)
	}
	awaitShow(t, hears, "bob", broker.ShowOffline)
	var refused *broker.SendError
	if err := trySend(alice, "bob", "lost?"); !errors.As(err, &refused) {
		t.Errorf("Send to somebody who left = %v, want a *SendError", err)
	}
	_, bobHears := d.login(t, "bob")
	awaitShow(t, hears, "bob", broker.ShowAvailable)
	send(t, alice, "bob", "three")
	awaitMessage(t, bobHears, "alice", "three")

	// The server has forgotten it, and says so.
	before := made.get()
	d.Refuse(wire.CommandSend, wire.ConversationNotFound, 1)
	send(t, alice, "bob", "four")
	awaitMessage(t, bobHears, "alice", "four")
	if n := made.get() - before; n != 1 {
		t.Errorf("a conversation that the server forgot was made %d times, want once", n)
	}
}

func TestLongTextsGoInParts(t *testing.T) {
	d := newDouble(t, nil)
	alice, hears := d.login(t, "alice")
	_, bobHears := d.login(t, "bob")
	awaitShow(t, hears, "bob", broker.ShowAvailable)
	text := strings.Repeat("жук и ", 1000)
	send(t, alice, "bob", text)
	var got strings.Builder
	for got.Len() < len(text) {
		part := await(t, bobHears, func(m broker.MessageReceived) bool { return m.From == "alice" }).Body
		if len(part) > 2048 {
			t.Errorf("a part has %d bytes, want up to 2048", len(part))
		}
		got.WriteString(part)
	}
	if got.String() != text {
		t.Errorf("the parts together are not the text")
	}
}

func TestStrangersGetAName(t *testing.T) {
	var asked counter
	d := newDouble(t, func(c *gwserver.Config) { c.Trace = asked.count("> getdetails") })
	_, hears := d.login(t, "alice")
	dave, daveHears := d.login(t, "dave")
	for _, body := range []string{"I am new", "and in order"} {
		send(t, dave, "alice", body)
	}
	for _, body := range []string{"I am new", "and in order"} {
		if m := await(t, hears, func(broker.MessageReceived) bool { return true }); m.From != "dave" || m.Body != body {
			t.Errorf("the message is %+v, want %q from dave", m, body)
		}
	}
	if n := asked.get(); n != 1 {
		t.Errorf("%d requests for details, want one by alice", n)
	}
	alice, _ := d.login(t, "carol")
	send(t, alice, "cn=dave,"+gwserver.Organisation, "by DN")
	awaitMessage(t, daveHears, "carol", "by DN")
}

func TestStrangersWhoseDetailsDoNotCome(t *testing.T) {
	d := newDouble(t, nil)
	_, hears := d.login(t, "alice")
	d.Refuse(wire.CommandGetDetails, wire.DirectoryFailure, 1)
	d.Tell("alice", wire.Event{Type: wire.Message, Source: "cn=eve,o=elsewhere", GUID: "[1]", Text: "hello"})
	awaitMessage(t, hears, "eve.elsewhere", "hello")
}

func TestStrangersWhoSayTooMuchToWait(t *testing.T) {
	const n = 300
	d := newDouble(t, nil)
	_, hears := d.login(t, "alice")
	d.Ignore(wire.CommandGetDetails, 1)
	for i := range n {
		d.Tell("alice", wire.Event{Type: wire.Message, Source: "cn=eve,o=elsewhere", GUID: "[1]", Text: fmt.Sprint(i)})
	}
	for i := range n {
		if m := await(t, hears, func(broker.MessageReceived) bool { return true }); m.From != "eve.elsewhere" || m.Body != fmt.Sprint(i) {
			t.Fatalf("message %d is %+v", i, m)
		}
	}
}

func TestWhatIsNotDeliveredIsTold(t *testing.T) {
	d := newDouble(t, nil)
	alice, hears := d.login(t, "alice")
	_, bobHears := d.login(t, "bob")
	awaitShow(t, hears, "bob", broker.ShowAvailable)
	for name, c := range map[string]struct {
		command string
		code    wire.Code
	}{
		"blocked":         {wire.CommandCreate, wire.UserBlocked},
		"not reachable":   {wire.CommandCreate, wire.ConversationInvite},
		"server busy":     {wire.CommandSend, wire.ServerBusy},
		"an unknown code": {wire.CommandSend, 0xD1FF},
	} {
		d.Refuse(c.command, c.code, 1)
		var refused *broker.SendError
		if err := trySend(alice, "bob", "x"); !errors.As(err, &refused) || !strings.Contains(refused.Text, c.code.String()) {
			t.Errorf("%s: Send = %v, want a *SendError with the code", name, err)
		}
	}
	send(t, alice, "bob", "after all")
	awaitMessage(t, bobHears, "alice", "after all")
	d.Tell("alice", wire.Event{Type: wire.Undeliverable, Source: "cn=bob," + gwserver.Organisation, GUID: "[0]"})
	awaitMessage(t, hears, "bob", "(The bob is not there; your message was not delivered.)")
}

func TestAutomaticReplyAndBroadcastArrive(t *testing.T) {
	d := newDouble(t, nil)
	_, hears := d.login(t, "alice")
	bob := "cn=bob," + gwserver.Organisation
	d.Tell("alice", wire.Event{Type: wire.AutomaticReply, Source: bob, GUID: "[1]", Text: "at lunch"})
	awaitMessage(t, hears, "bob", "(Automatic reply) at lunch")
	d.Tell("alice", wire.Event{Type: wire.Broadcast, Source: bob, Text: "cake"})
	awaitMessage(t, hears, "bob", "(To everybody) cake")
}

func TestSignedOnElsewhere(t *testing.T) {
	d := newDouble(t, nil)
	_, first := d.login(t, "alice")
	d.login(t, "alice")
	closed := await(t, first, func(broker.Closed) bool { return true })
	if code(closed.Err) != domain.RejectUpstreamRefused || !strings.Contains(closed.Err.Error(), "signed on elsewhere") {
		t.Errorf("Closed with %v, want upstream-refused that says that the account signed on elsewhere", closed.Err)
	}
}

func TestServerGoesDown(t *testing.T) {
	d := newDouble(t, nil)
	_, s := d.login(t, "alice")
	d.GoDown()
	closed := await(t, s, func(broker.Closed) bool { return true })
	if code(closed.Err) != domain.RejectUpstreamUnreachable || !strings.Contains(closed.Err.Error(), "gone down") {
		t.Errorf("Closed with %v, want upstream-unreachable that says that the server has gone down", closed.Err)
	}
}

func TestLoginRefusals(t *testing.T) {
	d := newDouble(t, nil)
	for result, want := range map[wire.Code]domain.RejectCode{
		wire.AuthenticationFailed:     domain.RejectBadCredentials,
		wire.PasswordInvalid:          domain.RejectBadCredentials,
		wire.CredentialsMissing:       domain.RejectBadCredentials,
		wire.UserNotFound:             domain.RejectBadCredentials,
		wire.AccessDenied:             domain.RejectBadCredentials,
		wire.PasswordExpired:          domain.RejectBadCredentials,
		wire.UserDisabled:             domain.RejectBadCredentials,
		wire.AdminLocked:              domain.RejectUpstreamRefused,
		wire.UnsupportedClientVersion: domain.RejectUpstreamRefused,
		wire.DirectoryFailure:         domain.RejectUpstreamRefused,
		wire.ServerBusy:               domain.RejectUpstreamFull,
		wire.EvaluationLimit:          domain.RejectUpstreamFull,
		0xD1FF:                        domain.RejectUpstreamRefused,
	} {
		d.Refuse(wire.CommandLogin, result, 1)
		_, err := tryLogin(t, d.settings(), "alice", password("alice"), newSink())
		if code(err) != want || !strings.Contains(err.Error(), result.String()) {
			t.Errorf("Login answered with %s = %v, want %v and the code", result, err, want)
		}
	}
	d.Redirect("im2.example.org:8300")
	_, err := tryLogin(t, d.settings(), "alice", password("alice"), newSink())
	if code(err) != domain.RejectUpstreamRefused || !strings.Contains(err.Error(), "im2.example.org:8300") {
		t.Errorf("a redirected Login = %v, want upstream-refused with the other address", err)
	}
}

func TestConference(t *testing.T) {
	d := newDouble(t, nil)
	host, hostHears := d.login(t, "carol")
	alice, hears := d.login(t, "alice")
	_, bobHears := d.login(t, "bob")
	awaitShow(t, hostHears, "bob", broker.ShowAvailable)

	// Carol writes to Alice, and a client of another kind makes it a conference.
	send(t, host, "alice", "hello")
	awaitMessage(t, hears, "carol", "hello")
	d.Tell("carol", wire.Event{Type: wire.Invited, Source: "cn=bob," + gwserver.Organisation, GUID: "[00000001-00000000-0D0B1E00-0001-0001]"})
	const address = "conference-00000001-00000000-0d0b1e00"
	awaitMessage(t, hostHears, address, "(The bob has been invited.)")
	send(t, host, address, "/invite bob")
	awaitMessage(t, bobHears, address, "(The carol invites you to a conference. Write here to join it, or /leave to decline.)")
	awaitMessage(t, hears, address, "(The bob has been invited.)")

	bob, bobHears2 := d.login(t, "bob") // a new session is in no conference
	if err := trySend(bob, address, "x"); err == nil {
		t.Error("Send to a conference of an earlier session = no error, want a *SendError")
	}
	awaitShow(t, hostHears, "bob", broker.ShowAvailable)
	send(t, host, address, "/invite bob")
	awaitMessage(t, bobHears2, address, "(The carol invites you to a conference. Write here to join it, or /leave to decline.)")
	send(t, bob, address, "here I am")
	awaitMessage(t, bobHears2, address, "(You have joined. Here are The alice, The carol.)")
	awaitMessage(t, hears, address, "(The bob has joined.)")
	awaitMessage(t, hears, address, "The bob: here I am")
	awaitMessage(t, hostHears, address, "The bob: here I am")
	send(t, alice, address, "welcome")
	awaitMessage(t, bobHears2, address, "The alice: welcome")
	send(t, bob, address, "/leave")
	awaitMessage(t, hears, address, "(The bob has left.)")
	var refused *broker.SendError
	if err := trySend(bob, address, "too late"); !errors.As(err, &refused) {
		t.Errorf("Send to a conference that one has left = %v, want a *SendError", err)
	}

	send(t, host, address, "/invite bob")
	awaitMessage(t, bobHears2, address, "(The carol invites you to a conference. Write here to join it, or /leave to decline.)")
	send(t, bob, address, "/leave")
	awaitMessage(t, hostHears, address, "(The bob does not come.)")
}
