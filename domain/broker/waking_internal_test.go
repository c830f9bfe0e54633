package broker

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// TestTurnThatIsGivenUpGoesToTheNext has a crowd wait for its turn, and most of it
// leave again.
func TestTurnThatIsGivenUpGoesToTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRamps(Rate{Every: time.Second, Burst: 1}, SystemClock{})
		began := time.Now()
		at := make(chan time.Duration, 10)
		pass := func(ctx context.Context) {
			if r.pass(ctx, 1) == nil {
				at <- time.Since(began)
			}
		}
		impatient, leave := context.WithCancel(t.Context())
		pass(t.Context()) // at once
		for range 3 {     // in 1, 2 and 3 seconds
			go pass(impatient)
			synctest.Wait()
		}
		go pass(t.Context()) // in 4 seconds
		synctest.Wait()
		leave()
		synctest.Wait()
		for range 3 { // in their places
			go pass(t.Context())
			synctest.Wait()
		}
		for i := range 5 {
			want := time.Duration(i) * time.Second
			if got := <-at; got != want {
				t.Errorf("number %d has its turn after %v, want %v: each second has one, and none is lost", i, got, want)
			}
		}
	})
}

// TestTurnsThatPassedAreNotKept has a crowd come, leave, and another come long
// after.
func TestTurnsThatPassedAreNotKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRamps(Rate{Every: time.Second, Burst: 1}, SystemClock{})
		for range 5 {
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			if err := r.pass(ctx, 1); err != nil && !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Hour)
		began := time.Now()
		for range 2 {
			if err := r.pass(t.Context(), 1); err != nil {
				t.Fatal(err)
			}
		}
		if got := time.Since(began); got != time.Second || len(r.of(1).free) != 0 {
			t.Errorf("two turns took %v with %d to give away, want 1s and none", got, len(r.of(1).free))
		}
	})
}
