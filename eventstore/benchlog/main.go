package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// options are the flags.
type options struct {
	duration time.Duration
	rounds   int
	writers  []int
	only     string
	folder   string
	quiet    time.Duration
	count    string
}

func main() {
	var o options
	flag.DurationVar(&o.duration, "for", 250*time.Millisecond, "how long each peer writes in each round")
	flag.IntVar(&o.rounds, "rounds", 15, "how many rounds")
	widths := flag.String("writers", "1,16,256", "how many write at once")
	flag.StringVar(&o.only, "only", "", "which peers beside the limit, by the beginning of their names; all if empty")
	flag.StringVar(&o.folder, "folder", "", "where to write; a new folder for the time being if empty")
	flag.DurationVar(&o.quiet, "quiet", 0, "how long to wait at most, before each turn, for a moment in which the machine does nothing else")
	flag.StringVar(&o.count, "count", "", "write with this peer only, and tell from when to when; strace runs this to count syncs")
	flag.Parse()
	err := o.parseWriters(*widths)
	if err == nil {
		err = o.run()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "benchlog:", err)
		os.Exit(1)
	}
}

func (o *options) parseWriters(widths string) error {
	for width := range strings.SplitSeq(widths, ",") {
		n, err := strconv.Atoi(width)
		if err != nil || n < 1 {
			return fmt.Errorf("-writers %s: %q is no number of writers", widths, width)
		}
		o.writers = append(o.writers, n)
	}
	return nil
}

// run compares until it is through or interrupted; either way what was started is
// stopped, and the folder removed.
func (o options) run() (err error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if o.folder, err = os.MkdirTemp(o.folder, "benchlog-"); err != nil {
		return err
	}
	defer os.RemoveAll(o.folder)
	if o.count != "" {
		return writeWindow(o)
	}
	for _, writers := range o.writers {
		rows, err := compare(ctx, o, writers)
		if err != nil {
			return err
		}
		print(rows, writers)
	}
	return nil
}
