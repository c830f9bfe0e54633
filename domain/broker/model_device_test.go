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

	mu       sync.Mutex
	accepted broker.Accepted // zero without a session

	session broker.Session // nil out of coverage
	link    *line
	read    int    // of what the link got
	seen    uint64 // the highest number of an item
	outbox  []broker.Send
	sends   int
	over    bool // the broker said so
}

// last gives the latest session.
func (d *modelDevice) last() domain.SessionID {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.accepted.Session
}

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
		d.collect()
		d.say(broker.Ack{Number: d.seen})
	case what < 85:
		d.say(broker.SetPresence{Presence: broker.OwnPresence{Show: broker.ShowBusy}})
	case what < 87:
		d.say(broker.Logout{})
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
	if err := d.session.Receive(context.Background(), m); err != nil {
		d.detach()
	}
	if d.m.isCalm() || d.m.chance(70) { // otherwise it is on its way still
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
	d.session, d.link, d.read, d.seen, d.outbox, d.over = s, link, 0, 0, nil, false
	for _, m := range link.all() {
		if a, ok := m.(broker.Accepted); ok {
			d.accept(a)
		}
	}
	d.collect()
}

func (d *modelDevice) comeBack() {
	link := &line{}
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(1+d.m.n(40))*time.Second)
	defer cancel()
	a := d.accepted
	s, err := d.m.present().Resume(ctx, broker.Resume{Device: d.id, Session: a.Session, Secret: a.Resume, Received: d.seen}, link)
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
	if m, ok := item.Body.(broker.MessageReceived); ok {
		index, _ := strconv.Atoi(m.ID)
		d.m.mu.Lock()
		talk := d.m.talks[index]
		d.m.mu.Unlock()
		talk.saw(m)
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

// finish comes back, if there is a session, and says all there is to say: then
// everything has to have arrived both ways.
func (d *modelDevice) finish() {
	d.detach()
	if d.last() == 0 {
		return
	}
	for range 5 {
		if d.session == nil && d.last() != 0 {
			d.comeBack()
		}
	}
	if d.last() == 0 {
		return
	}
	if d.session == nil {
		d.m.Errorf("%s cannot come back: %v", d.name, d.link.all())
		return
	}
	for range 20 { // more than fits in flight may wait
		d.say(broker.Ack{Number: d.seen})
	}
	if len(d.outbox) != 0 {
		d.m.Errorf("%s: %v are not answered", d.name, d.outbox)
	}
	d.m.mu.Lock()
	defer d.m.mu.Unlock()
	for _, t := range d.m.talks {
		if t.session == d.last() && t.life == d.m.life && !t.allSeen() {
			d.m.Errorf("%s: of %d messages %d arrived", d.name, len(t.seqs), t.seen)
		}
	}
	d.session.Detach()
}
