package sametime_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"rollcall/adapters/sametime/seal"
	"rollcall/adapters/sametime/stserver"
	"rollcall/adapters/sametime/wire"
	"rollcall/domain/broker"
)

// TestEncryptedTalk talks with a client of the test's own, with each cipher, in
// each role. The ciphers chain, so several messages go each way.
func TestEncryptedTalk(t *testing.T) {
	exchange := func(theirs []byte, pair seal.KeyPair) []byte {
		key, err := pair.Shared(theirs)
		if err != nil {
			t.Fatal(err)
		}
		return key
	}
	both := func(t *testing.T, alice broker.Conversation, s *sink, k *talk) {
		t.Helper()
		for i := range 3 {
			k.say(&wire.InstantMessage{Form: wire.FormText, Text: fmt.Sprint("to alice ", i)})
			hears(t, s, userID("bob"), fmt.Sprint("to alice ", i))
			send(t, alice, userID("bob"), fmt.Sprint("to bob ", i))
			if got := k.hear(); got != fmt.Sprint("to bob ", i) {
				t.Errorf("bob hears %q", got)
			}
		}
	}
	t.Run("RC2 with 40 bits, called", func(t *testing.T) {
		d, s := start(t, stserver.Config{}), newSink()
		alice, bob := mustLogin(t, d.settings(), "alice", s), dialClient(t, d.address, "bob", "bob-secret")
		a, k := bob.call(userID("alice"), wire.EncryptOffer{Mode: wire.EncryptAll, Items: []wire.EncryptItem{{Cipher: wire.CipherRC2_40}}})
		if a.Encryption.Mode != wire.EncryptRC2_40 {
			t.Fatalf("accepted with %+v, want RC2 with 40 bits", a.Encryption)
		}
		k.byLogin()
		both(t, alice, s, k)
	})
	t.Run("RC2 with 128 bits, called", func(t *testing.T) {
		d, s := start(t, stserver.Config{}), newSink()
		alice, bob := mustLogin(t, d.settings(), "alice", s), dialClient(t, d.address, "bob", "bob-secret")
		pair := seal.NewKeyPair()
		a, k := bob.call(userID("alice"), wire.EncryptOffer{Mode: wire.EncryptAny, Items: []wire.EncryptItem{
			{Cipher: wire.CipherRC2_40}, {Cipher: wire.CipherRC2_128, Data: pair.Public()}, {Cipher: 0x99},
		}})
		if a.Encryption.Mode != wire.EncryptRC2_128 {
			t.Fatalf("accepted with %+v, want RC2 with 128 bits", a.Encryption)
		}
		key := exchange(a.Encryption.Item.Data, pair)
		k.encrypt(key, key)
		both(t, alice, s, k)
	})
	t.Run("RC2 with 40 bits, calling", func(t *testing.T) {
		d, s := start(t, stserver.Config{}), newSink()
		alice, bob := mustLogin(t, d.settings(), "alice", s), dialClient(t, d.address, "bob", "bob-secret")
		sent := make(chan error, 1)
		go func() {
			sent <- alice.Send(t.Context(), broker.OutgoingMessage{ID: "1", To: userID("bob"), Body: "first"})
		}()
		_, k := bob.answer(wire.EncryptAcceptance{Mode: wire.EncryptRC2_40, Item: &wire.EncryptItem{Cipher: wire.CipherRC2_40}, Offered: wire.EncryptAny})
		k.byLogin()
		if got, err := k.hear(), <-sent; got != "first" || err != nil {
			t.Errorf("bob hears %q, %v", got, err)
		}
		both(t, alice, s, k)
	})
	t.Run("RC2 with 128 bits, calling", func(t *testing.T) {
		d, s := start(t, stserver.Config{}), newSink()
		alice, bob := mustLogin(t, d.settings(), "alice", s), dialClient(t, d.address, "bob", "bob-secret")
		pair := seal.NewKeyPair()
		sent := make(chan error, 1)
		go func() {
			sent <- alice.Send(t.Context(), broker.OutgoingMessage{ID: "1", To: userID("bob"), Body: "first"})
		}()
		create, k := bob.answer(wire.EncryptAcceptance{Mode: wire.EncryptRC2_128, Item: &wire.EncryptItem{Cipher: wire.CipherRC2_128, Data: pair.Public()}, Offered: wire.EncryptAny})
		key := exchange(create.Encryption.Items[1].Data, pair)
		k.encrypt(key, key)
		if got, err := k.hear(), <-sent; got != "first" || err != nil {
			t.Errorf("bob hears %q, %v", got, err)
		}
		both(t, alice, s, k)
	})
}

// TestEncryptionThatCannotBe has a recipient choose what was not offered, or send
// what does not fit; the conversation goes on.
func TestEncryptionThatCannotBe(t *testing.T) {
	d, s := start(t, stserver.Config{}), newSink()
	alice, bob := mustLogin(t, d.settings("im-encryption", "none"), "alice", s), dialClient(t, d.address, "bob", "bob-secret")
	for name, with := range map[string]wire.EncryptAcceptance{
		"not offered": {Mode: wire.EncryptRC2_40, Item: &wire.EncryptItem{Cipher: wire.CipherRC2_40}},
		"unknown":     {Mode: 0x4000, Item: &wire.EncryptItem{Cipher: 0x99, Data: []byte("key")}},
	} {
		sent := make(chan error, 1)
		go func() {
			sent <- alice.Send(t.Context(), broker.OutgoingMessage{ID: "1", To: userID("bob"), Body: "in vain"})
		}()
		bob.answer(with)
		var refused *broker.SendError
		if err := <-sent; !errors.As(err, &refused) {
			t.Errorf("%s: Send = %v, want a *SendError", name, err)
		}
		if d := await[*wire.ChannelDestroy](bob); d.Reason != wire.EncryptInvalid {
			t.Errorf("%s: the channel is closed with %v", name, d.Reason)
		}
	}
	_, k := bob.call(userID("alice"), wire.EncryptOffer{})
	k.encrypt([]byte("12345"), []byte("12345"))
	k.say(&wire.InstantMessage{Form: wire.FormText, Text: "encrypted on a clear channel"})
	if d := await[*wire.ChannelDestroy](bob); d.Reason != wire.EncryptInvalid {
		t.Errorf("the channel is closed with %v", d.Reason)
	}
	_, k = bob.call(userID("alice"), wire.EncryptOffer{})
	k.say(&wire.InstantMessage{Form: wire.FormText, Text: "still here"})
	hears(t, s, userID("bob"), "still here")
}

// TestRichMessages has a client send what is more than text.
func TestRichMessages(t *testing.T) {
	d, s := start(t, stserver.Config{}), newSink()
	mustLogin(t, d.settings(), "alice", s)
	_, k := dialClient(t, d.address, "bob", "bob-secret").call(userID("alice"), wire.EncryptOffer{})
	data := func(kind wire.DataKind, text string) {
		k.say(&wire.InstantMessage{Form: wire.FormData, Data: kind, Bytes: []byte(text)})
	}
	data(wire.DataSubject, "a subject is nothing to read")
	data(wire.DataHTML, "<b>bold</b> &amp; &#252;<br>next")
	hears(t, s, userID("bob"), "bold & ü\nnext")
	data(wire.DataBegins, "")
	data(wire.DataHTML, "a long <i>one ")
	data(wire.DataHTML, "in pieces</i>")
	data(wire.DataEnds, "")
	hears(t, s, userID("bob"), "a long one in pieces")
	data(wire.DataMIME, "Content-Type: multipart/related; boundary=x\r\n\r\n--x\r\nContent-Type: text/html\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n<p>from=20MIME</p>\r\n--x--\r\n")
	hears(t, s, userID("bob"), "from MIME")
	data(wire.DataEnds, "")
	k.say(&wire.InstantMessage{Form: wire.FormText, Text: "Java: \xed\xa0\xbd\xed\xb9\x82\xc0\x80\xff"})
	hears(t, s, userID("bob"), "Java: 🙂\x00�")
}

func TestLongMessageIsSplit(t *testing.T) {
	d, s := start(t, stserver.Config{}), newSink()
	alice := mustLogin(t, d.settings(), "alice", newSink())
	mustLogin(t, d.settings(), "bob", s)
	body := strings.Repeat("äöü🙂", 20_000)
	send(t, alice, userID("bob"), body)
	send(t, alice, userID("bob"), "end")
	hears(t, s, userID("alice"), "end")
	got := ""
	for _, e := range s.all() {
		if m, is := e.(broker.MessageReceived); is {
			got += m.Body
		}
	}
	if got != body+"end" {
		t.Errorf("%d bytes arrive of %d", len(got), len(body)+len("end"))
	}
}

// TestNamesAreResolved sends to names that are no user ids.
func TestNamesAreResolved(t *testing.T) {
	twins := append(accounts(), stserver.Account{Name: "dora1", UserID: "d1", Display: "Dora One"}, stserver.Account{Name: "dora2", UserID: "d2", Display: "Dora Two"})
	d, s := start(t, stserver.Config{Accounts: twins}), newSink()
	alice := mustLogin(t, d.settings(), "alice", newSink())
	mustLogin(t, d.settings(), "bob", s)
	send(t, alice, "bob", "by login name")
	hears(t, s, userID("alice"), "by login name")
	send(t, alice, "Bob Smith", "by display name")
	hears(t, s, userID("alice"), "by display name")
	for to, want := range map[string]string{"Dora": "several people", "nobody": "no such recipient", "": "no recipient", "carol": "not logged in"} {
		var refused *broker.SendError
		err := alice.Send(t.Context(), broker.OutgoingMessage{ID: "1", To: to, Body: "x"})
		if !errors.As(err, &refused) || !strings.Contains(refused.Text, want) {
			t.Errorf("Send(%q) = %v, want a *SendError with %q", to, err, want)
		}
	}
}

// TestNoResolving takes names for user ids where the server resolves none.
func TestNoResolving(t *testing.T) {
	others := []stserver.Account{{Name: "alice", Password: "alice-secret"}, {Name: "bob", Password: "bob-secret"}}
	d, s := start(t, stserver.Config{Accounts: others}), newSink()
	d.SetFaults(stserver.Faults{Missing: []wire.Service{wire.ServiceResolve}})
	alice := mustLogin(t, d.settings(), "alice", newSink())
	mustLogin(t, d.settings(), "bob", s)
	send(t, alice, "bob", "without resolving")
	hears(t, s, "alice", "without resolving")
}

// TestMessagesThatAreRefused tells the sender why.
func TestMessagesThatAreRefused(t *testing.T) {
	d := start(t, stserver.Config{})
	alice := mustLogin(t, d.settings(), "alice", newSink())
	dialClient(t, d.address, "bob", "bob-secret")
	for reason, want := range map[wire.Reason]string{
		wire.UserGone: "not logged in", wire.UserBusy: "does not want to be disturbed", wire.IMNotRegistered: "does not take such messages",
	} {
		d.SetFaults(stserver.Faults{RefuseIM: reason})
		err := alice.Send(t.Context(), broker.OutgoingMessage{ID: "1", To: userID("bob"), Body: "x"})
		var refused *broker.SendError
		if !errors.As(err, &refused) || !strings.Contains(refused.Text, want) {
			t.Errorf("%v: Send = %v, want a *SendError with %q", reason, err, want)
		}
	}
}

// TestMessageLostWithItsChannel tells of a message that went on a channel which
// then broke.
func TestMessageLostWithItsChannel(t *testing.T) {
	d, s := start(t, stserver.Config{}), newSink()
	alice := mustLogin(t, d.settings(), "alice", s)
	_, k := dialClient(t, d.address, "bob", "bob-secret").call(userID("alice"), wire.EncryptOffer{})
	k.say(&wire.InstantMessage{Form: wire.FormText, Text: "hello"})
	hears(t, s, userID("bob"), "hello")
	send(t, alice, userID("bob"), "lost?")
	d.Drop(userID("bob"))
	eventually(t, s, "word of the message", func(m broker.MessageReceived) bool {
		return m.From == userID("bob") && strings.Contains(m.Body, "may not have been delivered")
	})
}

// TestChannelsThatAreRefused opens to the connector what it does not take.
func TestChannelsThatAreRefused(t *testing.T) {
	d := start(t, stserver.Config{})
	mustLogin(t, d.settings(), "alice", newSink())
	bob := dialClient(t, d.address, "bob", "bob-secret")
	data := func(features uint32) []byte {
		b, err := wire.Marshal(&wire.IMOffer{Features: features})
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for name, c := range map[string]struct {
		create wire.ChannelCreate
		want   wire.Reason
	}{
		"files":             {wire.ChannelCreate{Service: wire.ServiceFiles, Protocol: wire.Protocol{Version: 1}}, wire.ServiceUnknown},
		"another version":   {wire.ChannelCreate{Service: wire.ServiceIM, Protocol: wire.Protocol{Number: 0x1000, Version: 4}, Data: data(1)}, wire.ServiceUnknown},
		"place invitations": {wire.ChannelCreate{Service: wire.ServiceIM, Protocol: wire.Protocols[wire.ServiceIM], Data: data(wire.IMPlace)}, wire.IMNotRegistered},
		"no features":       {wire.ChannelCreate{Service: wire.ServiceIM, Protocol: wire.Protocols[wire.ServiceIM]}, wire.IMNotRegistered},
		"a bad exchange": {wire.ChannelCreate{Service: wire.ServiceIM, Protocol: wire.Protocols[wire.ServiceIM], Data: data(1),
			Encryption: wire.EncryptOffer{Mode: wire.EncryptAny, Items: []wire.EncryptItem{{Cipher: wire.CipherRC2_128, Data: []byte{1}}}}}, wire.EncryptInvalid},
	} {
		bob.opened++
		c.create.Channel, c.create.Target.ID = bob.opened, userID("alice")
		bob.say(&c.create)
		if d := await[*wire.ChannelDestroy](bob); d.Reason != c.want || d.Channel != c.create.Channel {
			t.Errorf("%s: refused with %v, want %v", name, d.Reason, c.want)
		}
	}
}

// TestServerTexts delivers what administrators tell everybody.
func TestServerTexts(t *testing.T) {
	d, s := start(t, stserver.Config{ServerID: "st.acme.example"}), newSink()
	mustLogin(t, d.settings(), "alice", s)
	d.Say(userID("alice"), &wire.Admin{Text: "down at noon"})
	hears(t, s, "st.acme.example", "down at noon")
	bob := dialClient(t, d.address, "bob", "bob-secret")
	bob.say(&wire.Announce{Text: "cake in the kitchen", Recipients: []string{"@U " + userID("alice"), "@G everybody"}})
	hears(t, s, userID("bob"), "cake in the kitchen")
}

// TestPresenceComesAndGoes has the server take presence away and bring it back.
func TestPresenceComesAndGoes(t *testing.T) {
	d, s := start(t, stserver.Config{}), newSink()
	bob := dialClient(t, d.address, "bob", "bob-secret")
	mustLogin(t, d.settings(), "alice", s)
	sees(t, s, userID("bob"), broker.ShowAvailable)
	d.TakeAway(userID("alice"), wire.ServiceAwareness, wire.Failure)
	sees(t, s, userID("bob"), broker.ShowOffline)
	bob.say(&wire.SetUserStatus{Status: wire.UserStatus{Status: wire.StatusBusy}})
	sees(t, s, userID("bob"), broker.ShowBusy)
}
