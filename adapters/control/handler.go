package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

// handler answers one request after the other.
type handler struct {
	op       Operator
	kinds    errorKinds
	stopping <-chan struct{}
}

// ServeHTTP implements [http.Handler].
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	out := &answer{w: w, flush: http.NewResponseController(w).Flush}
	w.Header().Set("Content-Type", "application/json")
	if err := h.serve(r, out); err != nil {
		out.last(line{Error: h.kinds.pack(h.orStopping(err))})
		return
	}
	out.last(line{End: true})
}

func (h *handler) serve(r *http.Request, out *answer) error {
	do := routes[r.URL.Path]
	if do == nil || r.Method != http.MethodPost {
		return ErrOtherVersion
	}
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, maxRequest))
	if err != nil {
		return fmt.Errorf("read the request: %w", err)
	}
	return do(h.op, r.Context(), body, out.send)
}

// orStopping gives ErrStopping where err is only that the server stops.
func (h *handler) orStopping(err error) error {
	select {
	case <-h.stopping:
		if errors.Is(err, context.Canceled) {
			return ErrStopping
		}
	default:
	}
	return err
}

// flushLatest is how long a line may wait for others to share a write with.
const flushLatest = 50 * time.Millisecond

// answer writes the lines of one answer.
type answer struct {
	mu    sync.Mutex
	w     io.Writer
	flush func() error
	late  *time.Timer // runs while lines wait
	over  bool
}

func (a *answer) send(v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("write the answer: %w", err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.late == nil {
		a.late = time.AfterFunc(flushLatest, a.flushLate)
	}
	return a.write(line{Answer: data})
}

func (a *answer) flushLate() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.over {
		a.late = nil
		_ = a.flush() // the next write fails too, and says so
	}
}

// last writes the last line. Where that fails nobody is there to read it, or to
// be told.
func (a *answer) last(l line) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.over = true
	if a.late != nil {
		a.late.Stop()
	}
	_ = a.write(l)
}

func (a *answer) write(l line) error {
	data, err := json.Marshal(l)
	if err != nil {
		return fmt.Errorf("write the answer: %w", err)
	}
	_, err = a.w.Write(append(data, '\n'))
	return err
}
