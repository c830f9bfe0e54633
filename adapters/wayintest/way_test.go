package wayintest_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"rollcall/adapters/dispatcher"
	"rollcall/adapters/router"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var token = dispatcher.Token{1, 2, 3, 4, 5, 6, 7, 8}

// preamble is how a device link begins.
func preamble() []byte {
	return append([]byte("RCL1\x01\x00\x00\x00"), token[:]...)
}

// way is router -> dispatcher -> collaboration service, each on a port of its
// own.
type way struct {
	t testing.TB

	device     string // where devices connect
	dispatch   string // where routers connect
	service    string // where dispatchers connect
	link       *dispatcher.Link
	acceptor   *dispatcher.Acceptor
	accept     dispatcher.AcceptConfig
	hop2       *tap
	logs       *lockedBuffer
	peers      chan string
	stopAccept func()
	stopLink   func()
}

type option func(*setup)

type setup struct {
	handler  dispatcher.Handler
	trusted  []netip.Prefix
	plain    bool
	wrongTo  bool // the dispatcher pins a key that the service does not have
	wrongOf  bool // the service pins a key that the dispatcher does not have
	noRoute  bool
	wantLink bool
}

func start(t testing.TB, options ...option) *way {
	t.Helper()
	s := setup{trusted: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}, wantLink: true}
	w := &way{t: t, logs: &lockedBuffer{}, peers: make(chan string, 64), hop2: &tap{}}
	s.handler = w.echo
	for _, o := range options {
		o(&s)
	}
	log := slog.New(slog.NewTextHandler(w.logs, nil))
	serviceID, dispatcherID, stranger := identity(t), identity(t), identity(t)

	servicePin, dispatcherPin := serviceID.Pin(), dispatcherID.Pin()
	if s.wrongTo {
		servicePin = stranger.Pin()
	}
	if s.wrongOf {
		dispatcherPin = stranger.Pin()
	}
	w.accept = dispatcher.AcceptConfig{
		Identity: serviceID, Pins: []dispatcher.Pin{dispatcherPin}, Handler: s.handler, Logger: log}
	acceptor, err := dispatcher.Accept(w.accept)
	must(t, err)
	w.acceptor = acceptor
	serviceListener := listenOn(t)
	w.service = serviceListener.Addr().String()
	w.stopAccept = run(t, func(ctx context.Context) { acceptor.Serve(ctx, &tappedListener{serviceListener, w.hop2}) })

	w.link, err = dispatcher.NewLink(dispatcher.LinkConfig{
		Address: w.service, Identity: dispatcherID, Pins: []dispatcher.Pin{servicePin}, Logger: log})
	must(t, err)
	w.stopLink = run(t, w.link.Run)
	config := dispatcher.Config{Trusted: s.trusted, Plain: s.plain, Logger: log}
	if s.noRoute {
		config.Routes = map[dispatcher.Token]dispatcher.Service{{9}: w.link}
	} else {
		config.Routes = map[dispatcher.Token]dispatcher.Service{token: w.link}
	}
	d, err := dispatcher.New(config)
	must(t, err)
	ln := listenOn(t)
	w.dispatch = ln.Addr().String()
	run(t, func(ctx context.Context) { d.Serve(ctx, ln) })

	r, err := router.New(router.Config{Handler: router.Relay(router.RelayConfig{Dispatcher: w.dispatch, Logger: log}), Logger: log,
		Limits: router.Limits{Rate: -1, ConnsPerAddress: -1}})
	must(t, err)
	front := listenOn(t)
	w.device = front.Addr().String()
	run(t, func(ctx context.Context) { r.Serve(ctx, front) })
	if s.wantLink {
		w.await("the link is up", func() bool { return w.link.State().Up })
	}
	return w
}

// echo is a device handler: it reads the preamble and sends back what follows.
func (w *way) echo(ctx context.Context, conn net.Conn, peer string) {
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	if _, err := dispatcher.ReadPreamble(conn); err != nil {
		w.t.Errorf("preamble at the service: %v", err)
		return
	}
	select {
	case w.peers <- peer:
	default:
	}
	io.Copy(conn, conn)
	conn.Close()
}

// dial opens a device connection and sends the preamble.
func (w *way) dial(address string) *net.TCPConn {
	w.t.Helper()
	conn, err := net.Dial("tcp", address)
	must(w.t, err)
	w.t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	_, err = conn.Write(preamble())
	must(w.t, err)
	return conn.(*net.TCPConn)
}

// await polls: what it waits for happens on real sockets.
func (w *way) await(what string, done func() bool) {
	w.t.Helper()
	for end := time.Now().Add(15 * time.Second); !done(); {
		if time.Now().After(end) {
			w.t.Fatalf("waited in vain: %s\n%s", what, w.logs.String())
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func (w *way) awaitLog(text string) {
	w.t.Helper()
	w.await("log line "+text, func() bool { return bytes.Contains([]byte(w.logs.String()), []byte(text)) })
}

// run runs f until the test ends, or stop is called, and waits for it.
func run(t testing.TB, f func(context.Context)) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); f(ctx) }()
	stop = func() { cancel(); <-done }
	t.Cleanup(stop)
	return stop
}

func identity(t testing.TB) *dispatcher.Identity {
	t.Helper()
	id, err := dispatcher.LoadOrCreateIdentity(t.TempDir())
	must(t, err)
	return id
}

func listenOn(t testing.TB) net.Listener {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { ln.Close() })
	return ln
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// tap keeps what came over tapped connections.
type tap struct {
	mu  sync.Mutex
	got []byte
}

func (t *tap) add(p []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.got = append(t.got, p...)
}

func (t *tap) bytes() []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	return bytes.Clone(t.got)
}

type tappedListener struct {
	net.Listener
	tap *tap
}

func (l *tappedListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &tappedConn{conn, l.tap}, nil
}

type tappedConn struct {
	net.Conn
	tap *tap
}

func (c *tappedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.tap.add(p[:n])
	return n, err
}

func (c *tappedConn) Write(p []byte) (int, error) {
	c.tap.add(p)
	return c.Conn.Write(p)
}

type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
