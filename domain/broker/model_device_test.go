package broker_test

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"time"

	"rollcall/domain"
	"rollcall/domain/broker"
)

// modelDevice behaves as the device library does: it sees each item once,
// acknowledges what it has seen, and sends again what was not answered.
type modelDevice struct {
	m    *model
	name string
	id   domain.DeviceID
	key  byte

	mu       sync.Mutex
	accepted broker.Accepted // zero without a session
	revoked  bool

	messages modelMessages
	news     modelNews

	session broker.Session // nil out of coverage
	link    *line
	read    int    // of what the link got
	seen    uint64 // the highest number of an item
	outbox  []broker.Send
	sends   int
}

// modelMessages is what a device has had of its account's messages.
type modelMessages struct {
	had     int // all up to this one, each in its turn
	here    int // the latest of this session; zero if none came yet
	acked   int // the latest that the broker knows of
	crashes int // that the device knows of
	repeats int // messages from this one on may come again in this session
}

// modelNews is what a device knows of its person's contacts.
type modelNews struct {
	epoch, number uint64
	show          map[string]broker.Show
}

// last gives the latest session.
func (d *modelDevice) last() domain.SessionID {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.accepted.Session
}

func (d *modelDevice) revoke() { d.mu.Lock(); defer d.mu.Unlock(); d.revoked = true }

func (d *modelDevice) isRevoked() bool { d.mu.Lock(); defer d.mu.Unlock(); return d.revoked }

func (d *modelDevice) accept(a broker.Accepted) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.accepted = a
}

// live does one thing after another until ctx is done.
func (d *modelDevice) live(ctx context.Context) {
	for ctx.Err() == nil {
		time.Sleep(time.Duration(d.m.n(4000)) * time.Millisecond)
		switch {
		case d.session == nil && d.last() == 0:
			d.login()
		case d.session == nil:
			d.comeBack()
		default:
			d.act()
		}
	}
}

func (d *modelDevice) act() {
	switch what := d.m.n(100); {
	case what < 35:
		d.say(broker.Status{})
	case what < 60:
		d.send()
	case what < 80:
		d.acknowledge()
	case what < 85:
		d.say(broker.SetPresence{Presence: broker.OwnPresence{Show: broker.ShowBusy}})
	case what < 87:
		d.say(broker.Logout{Answered: len(d.outbox) == 0})
	case what < 89:
		d.login() // although there is a session
	case what < 96:
		d.loseLink()
	default: // out of sight
		time.Sleep(time.Duration(d.m.n(150)) * time.Second)
	}
}

func (d *modelDevice) send() {
	d.sends++
	s := broker.Send{ID: fmt.Sprint(d.name, "-", d.sends), To: "somebody"}
	d.outbox = append(d.outbox, s)
	d.say(s)
}

func (d *modelDevice) say(m broker.FromDevice) {
	d.try(m)
	if d.m.isCalm() || d.m.chance(70) { // otherwise it is on its way still
		d.collect()
	}
}

func (d *modelDevice) try(m broker.FromDevice) (ok bool) {
	if d.session.Receive(context.Background(), m) == nil {
		return true
	}
	d.detach()
	return false
}

func (d *modelDevice) acknowledge() {
	d.collect()
	if latest := d.messages.here; d.try(broker.Ack{Number: d.seen}) {
		d.messages.acked = max(d.messages.acked, latest)
		d.collect()
	}
}

// loseLink loses the link with all that is on its way.
func (d *modelDevice) loseLink() {
	d.link.mu.Lock()
	d.link.broken, d.link.got = true, d.link.got[:d.read]
	d.link.mu.Unlock()
	time.Sleep(time.Duration(d.m.n(5)) * time.Second)
	d.detach()
}

func (d *modelDevice) detach() {
	if d.session != nil {
		d.collect()
		d.session.Detach()
		d.session = nil
	}
}

func (d *modelDevice) login() {
	link, before := &line{}, d.session
	// The link may be lost before the answer is there.
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(1+d.m.n(40))*time.Second)
	defer cancel()
	s, err := d.m.present().Login(ctx, broker.Login{Device: d.id, Service: "im", Account: d.name, Password: password}, link)
	if err != nil || s == nil {
		return
	}
	if before != nil {
		d.session = before
		d.detach()
	}
	d.session, d.link, d.read, d.outbox = s, link, 0, nil
	for len(link.all()) == 0 {
		time.Sleep(time.Millisecond)
	}
	a := link.all()[0].(broker.Accepted)
	d.accept(a)
	d.seen, d.news = a.Received, modelNews{epoch: a.Epoch}
	d.messages.begin(d.m.inbox.lost(d.id))
	d.collect()
}

// begin begins a session. What the broker does not know to be with the device may
// come again; and after a crash it may have forgotten that it knew.
func (m *modelMessages) begin(crashes int) {
	m.here, m.repeats = 0, m.acked+1
	if crashes > m.crashes {
		m.crashes, m.repeats, m.acked = crashes, 1, 0
	}
}

// take takes a message, which has to be the next one.
func (m *modelMessages) take(number int) bool {
	if m.here > 0 && number != m.here+1 || m.here == 0 && (number < m.repeats || number > m.had+1) {
		return false
	}
	m.here, m.had = number, max(m.had, number)
	return true
}

func (d *modelDevice) comeBack() {
	link := &line{}
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(1+d.m.n(40))*time.Second)
	defer cancel()
	a := d.accepted
	s, err := d.m.present().Resume(ctx, broker.Resume{Device: d.id, Session: a.Session, Secret: a.Resume, Received: d.seen, Epoch: d.news.epoch, State: d.news.number}, link)
	if err != nil {
		return
	}
	d.link, d.read = link, 0
	if s == nil {
		d.collect()
		return
	}
	d.session = s
	d.collect()
	for _, m := range d.outbox { // a copy: answers come meanwhile
		if d.session != nil {
			d.say(m)
		}
	}
}

// collect takes what the link got.
func (d *modelDevice) collect() {
	all := d.link.all()
	for _, m := range all[d.read:] {
		switch m := m.(type) {
		case broker.Item:
			d.take(m)
		case broker.State:
			d.hear(m)
		case broker.Resumed:
			if m.Epoch != d.news.epoch {
				d.news = modelNews{epoch: m.Epoch}
			}
		case broker.Sent:
			d.answered(m.ID)
		case broker.Notice:
			d.accept(broker.Accepted{})
		case broker.ResumeRefused:
			if m.Ended {
				d.accept(broker.Accepted{})
			}
		}
	}
	d.read = len(all)
}

func (d *modelDevice) take(item broker.Item) {
	if item.Number <= d.seen {
		return
	}
	if item.Number != d.seen+1 {
		d.m.Errorf("%s: item %d follows %d", d.name, item.Number, d.seen)
	}
	d.seen = item.Number
	m, ok := item.Body.(broker.MessageReceived)
	if sealed, is := item.Body.(broker.Sealed); is {
		s := unsealed(sealed)
		m, ok = s.Message, s.Number == item.Number && s.Key == d.key
	}
	number, _ := strconv.Atoi(m.ID)
	if !ok || m != d.m.accounts[d.name].message(number) {
		d.m.Errorf("%s: item %d is %v", d.name, item.Number, item.Body)
	}
	if before := d.messages; !d.messages.take(number) {
		d.m.Errorf("%s: message %d comes after %+v", d.name, number, before)
	}
}

// hear takes news of contacts.
func (d *modelDevice) hear(s broker.State) {
	if s.Number <= d.news.number {
		d.m.Errorf("%s: state %d follows %d", d.name, s.Number, d.news.number)
	}
	d.news.number = s.Number
	switch b := s.Body.(type) {
	case broker.RosterReceived:
		d.news.show = map[string]broker.Show{}
	case broker.PresenceChanged:
		d.news.show[b.Contact] = b.Show
	}
}

func (d *modelDevice) answered(id string) {
	for i, m := range d.outbox {
		if m.ID == id {
			d.outbox = append(d.outbox[:i:i], d.outbox[i+1:]...)
			return
		}
	}
}

// finish comes back, or logs in, and says all there is to say: then everything has
// to have arrived both ways.
func (d *modelDevice) finish() {
	d.detach()
	for range 5 {
		if d.session == nil && d.last() != 0 {
			time.Sleep(time.Minute) // it may have come too often
			d.comeBack()
		}
	}
	if d.session == nil && d.last() == 0 && !d.isRevoked() {
		time.Sleep(time.Hour) // and given wrong passwords
		d.login()
	}
	if d.isRevoked() {
		return
	}
	if d.session == nil {
		d.m.Errorf("%s cannot come back: %v", d.name, d.link.all())
		return
	}
	for range 20 { // more than fits in flight may wait
		time.Sleep(time.Second)
		d.acknowledge()
		d.say(broker.Status{InUse: true})
	}
	if len(d.outbox) != 0 {
		d.m.Errorf("%s: %v are not answered", d.name, d.outbox)
	}
	if newest := d.m.accounts[d.name].newest(); d.messages.had != newest {
		d.m.Errorf("%s: of %d messages %d arrived", d.name, newest, d.messages.had)
	}
	d.say(broker.Logout{Answered: len(d.outbox) == 0})
}
