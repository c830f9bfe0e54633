package wire_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/adapters/groupwise/wire"
)

// fromServer reads every message in b and gives their traces.
func fromServer(b []byte) ([]string, error) {
	var traces []string
	for r := wire.NewClientReader(bytes.NewReader(b)); ; {
		if err := r.Wait(); errors.Is(err, io.EOF) {
			return traces, nil
		}
		response, event, err := r.Next()
		switch {
		case err != nil:
			return traces, err
		case response != nil:
			traces = append(traces, response.String())
		default:
			traces = append(traces, event.String())
		}
	}
}

// TestVectors reads what the real client took byte for byte, and writes it again.
func TestVectors(t *testing.T) {
	for file, want := range map[string]string{
		"login-response.bin": `< 200 DN="cn=alice,o=acme" CONTACT_LIST{CONTACT{OBJECT_ID=3 PARENT_ID=0 SEQUENCE_NUMBER=0 DISPLAY_NAME=Bob ` +
			`DN="cn=bob,o=acme" USER_DETAILS{CN=bob STATUS=2}}} RESULT_CODE=0 TRANSACTION_ID=1`,
		"message.bin": `* message cn=bob,o=acme in [0000000a-0000000b-0000000c-0001-0001] "{\\rtf1{\\fonttbl{\\f0 A;}}\\f0 hi\\par}"`,
		"status.bin":  `* status cn=bob,o=acme status 4 "out"`,
	} {
		t.Run(file, func(t *testing.T) {
			b, err := os.ReadFile("testdata/" + file)
			if err != nil {
				t.Fatal(err)
			}
			got, err := fromServer(b)
			if err != nil || len(got) != 1 || got[0] != want {
				t.Fatalf("read %q, %v\nwant %q", got, err, want)
			}
			response, event, err := wire.NewClientReader(bytes.NewReader(b)).Next()
			if err != nil {
				t.Fatal(err)
			}
			var again []byte
			if response != nil {
				again = response.Append(nil)
			} else {
				again = event.Append(nil)
			}
			if !bytes.Equal(again, b) {
				t.Errorf("written again:\n%q\nwant\n%q", again, b)
			}
		})
	}
}

const realLogin = "POST /login HTTP/1.0\r\nHost: 127.0.0.1:8300\r\n\r\n" +
	"&tag=NM_A_SZ_USERID&cmd=0&val=alice&type=10" +
	"&tag=NM_A_SZ_CREDENTIALS&cmd=0&val=s3cret+%26+pass%2b%25&type=10" +
	"&tag=NM_A_SZ_USER_AGENT&cmd=0&val=Purple%2f2%2e14%2e12+%28Linux%3b+6%2e1%29&type=10" +
	"&tag=NM_A_UD_BUILD&cmd=0&val=2&type=8" +
	"&tag=nnmIPAddress&cmd=0&val=192%2e0%2e2%2e2&type=10" +
	"&tag=NM_A_SZ_TRANSACTION_ID&cmd=0&val=1&type=10\r\n"

func TestLoginOfTheRealClient(t *testing.T) {
	r, err := wire.NewServerReader(strings.NewReader(realLogin)).Next()
	if err != nil {
		t.Fatal(err)
	}
	const trace = `> login USERID=alice CREDENTIALS=(hidden) USER_AGENT="Purple/2.14.12 (Linux; 6.1)" BUILD:2 nnmIPAddress=192.0.2.2 TRANSACTION_ID=1`
	if r.String() != trace {
		t.Errorf("trace = %s\nwant    %s", r, trace)
	}
	want := wire.Login{User: "alice", Password: "s3cret & pass+%", UserAgent: "Purple/2.14.12 (Linux; 6.1)", Level: 2, Address: "192.0.2.2"}
	if diff := cmp.Diff(want, wire.ParseLogin(r.Fields)); diff != "" {
		t.Errorf("login (-want +got):\n%s", diff)
	}
	again := &wire.Request{Command: "login", Host: r.Host, Fields: append(want.Fields(), wire.TextField(wire.TagTransaction, "1"))}
	if got := string(again.Append(nil)); got != realLogin {
		t.Errorf("written again:\n%q\nwant\n%q", got, realLogin)
	}
}

func TestRequestsOfEachFamily(t *testing.T) {
	const guid = wire.GUID("[12345678-9abcdef0-0badcafe-0001-0001]")
	for name, c := range map[string]struct {
		command string
		fields  wire.Fields
		want    string
	}{
		"status": {wire.CommandSetStatus, wire.SetStatus{Status: wire.StatusBusy, Text: "in a meeting", Reply: "later"}.Fields(),
			`> setstatus STATUS=3 STATUS_TEXT="in a meeting" MESSAGE_BODY=later`},
		"details": {wire.CommandGetDetails, wire.GetDetails("cn=bob,o=acme", "carol"), `> getdetails DN="cn=bob,o=acme" DN=carol`},
		"create": {wire.CommandCreate, wire.Create([]string{"cn=bob,o=acme"}, "cn=alice,o=acme"),
			`> createconf CONVERSATION{OBJECT_ID=[00000000-00000000-00000000-0000-0000]} DN="cn=bob,o=acme" DN="cn=alice,o=acme"`},
		"send": {wire.CommandSend, wire.SendMessage{GUID: guid, Body: `{\rtf1 hi}`, Text: "hi", To: []string{"cn=bob,o=acme"}}.Fields(),
			`> sendmessage CONVERSATION{OBJECT_ID=` + string(guid) + `} MESSAGE{MESSAGE_BODY="{\\rtf1 hi}" MESSAGE_TYPE:0 MESSAGE_TEXT=hi} DN="cn=bob,o=acme"`},
		"typing": {wire.CommandTyping, wire.SendTyping(guid, true), `> sendtyping CONVERSATION{OBJECT_ID=` + string(guid) + ` TYPE=112}`},
		"invite": {wire.CommandInvite, wire.Invite(guid, "come", "cn=bob,o=acme"),
			`> sendinvite CONVERSATION{OBJECT_ID=` + string(guid) + `} DN="cn=bob,o=acme" MESSAGE_BODY=come`},
		"leave": {wire.CommandLeave, wire.InConversation(guid), `> leaveconf CONVERSATION{OBJECT_ID=` + string(guid) + `}`},
		"methods": {"search", wire.Fields{wire.TextField("Surname", "B").With(wire.Begins), wire.ArrayField("x",
			wire.TextField("y", "").With(wire.Delete), wire.TextField("gone", "").With(wire.Ignore))},
			`> search Surname(begins)=B x{y(delete)=""}`},
	} {
		t.Run(name, func(t *testing.T) {
			sent := &wire.Request{Command: c.command, Fields: c.fields}
			r, err := wire.NewServerReader(bytes.NewReader(sent.Append(nil))).Next()
			if err != nil {
				t.Fatal(err)
			}
			if r.String() != c.want {
				t.Errorf("trace = %s\nwant    %s", r, c.want)
			}
		})
	}
}

func TestFamiliesReadWhatTheyWrite(t *testing.T) {
	bob := wire.Person{DN: "cn=bob,ou=staff,o=acme", CommonName: "bob", GivenName: "Bob", Surname: "Baker", FullName: "Bob Baker",
		Status: wire.StatusAway, StatusText: "out", Information: wire.Fields{wire.TextField("Title", "Baker")}}
	alice := wire.Person{DN: "cn=alice,o=acme", Display: "al", Status: wire.StatusAvailable}
	answer := wire.LoginAnswer{Self: alice, KeepAlive: 5, Contacts: wire.ContactList{
		Folders:  []wire.Folder{{ID: "1", Parent: "0", Sequence: "1", Name: "Work"}},
		Contacts: []wire.Contact{{ID: "2", Parent: "1", Sequence: "1", Name: "Bobby", DN: bob.DN, Details: &bob}, {ID: "3", Parent: "0", Sequence: "2", Name: "C", DN: "cn=c"}},
	}}
	send := wire.SendMessage{GUID: "[1]", Body: "b", Text: "t", To: []string{"x", "y"}}
	status := wire.SetStatus{Status: wire.StatusIdle, Text: "t", Reply: "r"}
	there, invited := wire.ParseJoinAnswer(wire.JoinAnswer([]string{"a", "b"}, []string{"c"}))
	for name, c := range map[string]struct{ got, want any }{
		"login answer": {wire.ParseLoginAnswer(answer.Fields()), answer},
		"details":      {wire.ParseDetails(wire.DetailsAnswer(alice, bob)), []wire.Person{alice, bob}},
		"send":         {wire.ParseSendMessage(send.Fields()), send},
		"status":       {wire.ParseSetStatus(status.Fields()), status},
		"typing":       {wire.ParseTyping(wire.SendTyping("[1]", true)), true},
		"not typing":   {wire.ParseTyping(wire.SendTyping("[1]", false)), false},
		"create":       {wire.ParseGUID(wire.CreateAnswer("[7]")), wire.GUID("[7]")},
		"join":         {[][]string{there, invited}, [][]string{{"a", "b"}, {"c"}}},
		"display ids":  {[]string{alice.DisplayID(), bob.DisplayID()}, []string{"al", "bob.staff.acme"}},
		"zero GUIDs":   {[]bool{wire.NoGUID.IsZero(), wire.GUID("").IsZero(), wire.GUID("[00000000-00000000-00000001-0000-0000]").IsZero()}, []bool{true, true, false}},
		"GUID keys":    {wire.GUID("[0000000a-0000000b-0000000c-0001-0001]").Key(), wire.GUID("[0000000A-0000000B-0000000C-0002-0009]").Key()},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, c.got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestWhatClientsGetWrong reads requests as libpurple sends them where it
// overflows a buffer of its own.
func TestWhatClientsGetWrong(t *testing.T) {
	const format = "POST /x HTTP/1.0\r\n\r\n&tag=A&cmd=0&val=%&type=10&tag=NM_A_SZ_TRANSACTION_ID&cmd=0&val=7&type=10\r\n"
	for escaped, want := range map[string]string{
		"abc%2\x00": "abc", "abc%\x00": "abc", "abc\x00": "abc", "a+b%2B%2b": "a b++", "%zz%c3%a9": "zzé", "": "", "%00": "\x00",
	} {
		r, err := wire.NewServerReader(strings.NewReader(strings.Replace(format, "%", escaped, 1))).Next()
		if err != nil {
			t.Errorf("%q: %v", escaped, err)
			continue
		}
		if got := r.Fields.Value("A"); got != want {
			t.Errorf("%q = %q, want %q", escaped, got, want)
		}
		if n, ok := r.Transaction(); n != 7 || !ok {
			t.Errorf("%q: transaction %d, %t; want 7", escaped, n, ok)
		}
	}
}

func TestResponsesThatAreTaken(t *testing.T) {
	for name, c := range map[string]struct {
		bytes string
		check func(*wire.Response) bool
	}{
		"words and headers":    {"HTTP/1.1 200 OK\r\nServer: x\r\nContent-Type: y\r\n\r\n\x00", func(r *wire.Response) bool { return r.Status == 200 && len(r.Fields) == 0 }},
		"lines without CR":     {"HTTP/1.0 500\n\n\x00", func(r *wire.Response) bool { return r.Status == 500 }},
		"a redirect by header": {"HTTP/1.0 301\r\nLocation: https://im2:8300/\r\n\r\n\x00", func(r *wire.Response) bool { return r.Redirected() == "im2:8300" }},
		"a result as a number": {"HTTP/1.0 200\r\n\r\n\x08\x00\x14\x00\x00\x00NM_A_SZ_RESULT_CODE\x00\x49\xd1\x00\x00\x00",
			func(r *wire.Response) bool { c, ok := r.Result(); return ok && c == wire.AuthenticationFailed }},
		"a string without its NUL": {"HTTP/1.0 200\r\n\r\n\x0a\x00\x01\x00\x00\x00A\x01\x00\x00\x00b\x00", func(r *wire.Response) bool { return r.Fields.Value("a") == "b" }},
		"no result":                {"HTTP/1.0 200\r\n\r\n\x00", func(r *wire.Response) bool { _, ok := r.Result(); return !ok }},
	} {
		t.Run(name, func(t *testing.T) {
			r, _, err := wire.NewClientReader(strings.NewReader(c.bytes)).Next()
			if err != nil {
				t.Fatal(err)
			}
			if !c.check(r) {
				t.Errorf("read %s, headers %v", r, r.Headers)
			}
		})
	}
	byFields := wire.Respond(1, wire.OK, wire.TextField(wire.TagAddress, "im3"), wire.NumberField(wire.TagPort, 8301))
	byFields.Status = 301
	if got := byFields.Redirected(); got != "im3:8301" {
		t.Errorf("a redirect by fields leads to %q, want im3:8301", got)
	}
}

func TestHostileMessages(t *testing.T) {
	array := "\x09\x00\x02\x00\x00\x00x\x00"
	ok := "HTTP/1.0 200\r\n\r\n"
	for name, c := range map[string]struct{ bytes, problem string }{
		"another protocol":      {"SSH-2.0-OpenSSH\r\n", "neither a response nor an event"},
		"zeros":                 {strings.Repeat("\x00", 64), "neither a response nor an event"},
		"an unknown event":      {"\x80\x00\x00\x00\x01\x00\x00\x00\x00", "128 is neither"},
		"a status that is none": {"HTTP/1.0 abc\r\n\r\n\x00", "status line"},
		"a string of 100 MB":    {ok + "\x0a\x00\x02\x00\x00\x00x\x00\x00\xe1\xf5\x05abc", "a string of 100000000 bytes"},
		"a tag of 4 GB":         {ok + "\x0a\x00\xff\xff\xff\xff", "a string of 4294967295 bytes"},
		"a source of 4 GB":      {"\x6c\x00\x00\x00\xff\xff\xff\xff", "a string of 4294967295 bytes"},
		"deep arrays":           {ok + strings.Repeat(array+"\x01\x00\x00\x00", 1000), "nested deeper"},
		"an array that ends":    {ok + array + "\x05\x00\x00\x00\x00", "ends after 0"},
		"too many fields":       {ok + strings.Repeat("\x08\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00", 70_000), "more than 65536 fields"},
		"a megabyte of headers": {"HTTP/1.0 200\r\n" + strings.Repeat("A: b\r\n", 200_000), "headers of more than"},
		"a line without end":    {"HTTP/1.0 200\r\n" + strings.Repeat("A", 1<<20), "a line of more than"},
		"a megabyte of strings": {ok + strings.Repeat("\x0a\x00\x02\x00\x00\x00x\x00\x00\x80\x00\x00"+strings.Repeat("y", 0x8000), 64), "longer than 1048576 bytes"},
		"a header with no name": {"HTTP/1.0 200\r\nnonsense\r\n\r\n", "has no name"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := fromServer([]byte(c.bytes))
			var format *wire.FormatError
			if !errors.As(err, &format) || !strings.Contains(err.Error(), c.problem) {
				t.Errorf("error = %v, want a *FormatError that says %q", err, c.problem)
			}
		})
	}
}

func TestMessagesThatBreakOff(t *testing.T) {
	b, err := os.ReadFile("testdata/login-response.bin")
	if err != nil {
		t.Fatal(err)
	}
	for n := range b {
		_, _, err := wire.NewClientReader(bytes.NewReader(b[:n])).Next()
		if !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Fatalf("%d bytes of %d: %v, want io.ErrUnexpectedEOF", n, len(b), err)
		}
	}
}

func TestHostileRequests(t *testing.T) {
	const head = "POST /x HTTP/1.0\r\n\r\n"
	for name, c := range map[string]struct{ bytes, problem string }{
		"a browser":                 {"GET / HTTP/1.1\r\n\r\n\r\n", "the request line"},
		"no fields where some are":  {head + "nonsense\r\n", "the body begins with"},
		"a field cut short":         {head + "&tag=A&cmd=0&val=x\r\n", "the field"},
		"an unknown method":         {head + "&tag=A&cmd=Z&val=x&type=10\r\n", "unknown method"},
		"a binary field":            {head + "&tag=A&cmd=0&val=x&type=2\r\n", "no client sends"},
		"a number that is none":     {head + "&tag=A&cmd=0&val=x&type=8\r\n", "no number"},
		"an array that is too long": {head + "&tag=A&cmd=0&val=4000000000&type=9\r\n", "announces"},
		"arrays that share fields":  {head + "&tag=A&cmd=0&val=1&type=9&tag=B&cmd=0&val=1&type=9\r\n", "announces"},
		"deep arrays":               {head + strings.Repeat("&tag=A&cmd=0&val=1&type=9", 100) + "&tag=B&cmd=0&val=1&type=8\r\n", "nested deeper"},
		"a body without end":        {head + strings.Repeat("x", 2<<20), "longer than"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := wire.NewServerReader(strings.NewReader(c.bytes)).Next()
			var format *wire.FormatError
			if !errors.As(err, &format) || !strings.Contains(err.Error(), c.problem) {
				t.Errorf("error = %v, want a *FormatError that says %q", err, c.problem)
			}
		})
	}
}

func TestCodesHaveMeanings(t *testing.T) {
	if got := wire.AuthenticationFailed.String() + " " + wire.AuthenticationFailed.Meaning(); got != "D149 wrong user name or password" {
		t.Errorf("D149 is %q", got)
	}
	if got := wire.Code(0xD1FF).Meaning(); got != "a code that is not known" {
		t.Errorf("D1FF means %q", got)
	}
}
