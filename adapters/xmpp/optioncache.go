package xmpp

import (
	"os"
	"slices"
	"sync"
	"time"

	"rollcall/domain"
)

// optionCache keeps what was made of the settings used last, so that thousands of
// sessions share one set of authorities and one TLS configuration. It is safe for
// concurrent use.
type optionCache struct {
	mu    sync.Mutex
	known []cachedOptions // the one used last in front
}

type cachedOptions struct {
	settings domain.Settings
	caFile   fileStamp
	options  *options
}

// maxKnown is how many services' settings are kept.
const maxKnown = 16

// get gives the options of a service as [parseSettings] does. A ca-file that has
// changed is read again.
func (c *optionCache) get(s domain.Settings) (*options, error) {
	caFile := stampOf(s.Options["ca-file"])
	c.mu.Lock()
	defer c.mu.Unlock()
	i := slices.IndexFunc(c.known, func(k cachedOptions) bool { return k.settings.Equal(s) })
	if i >= 0 && c.known[i].caFile == caFile {
		return c.known[i].options, nil
	}
	o, err := parseSettings(s)
	if err != nil {
		return nil, err
	}
	if i >= 0 {
		c.known = slices.Delete(c.known, i, i+1)
	}
	c.known = slices.Insert(c.known, 0, cachedOptions{s, caFile, o})
	c.known = c.known[:min(len(c.known), maxKnown)]
	return o, nil
}

// fileStamp tells one state of a file from another; zero where it cannot be told.
type fileStamp struct {
	size    int64
	changed time.Time
}

func stampOf(file string) fileStamp {
	if file == "" {
		return fileStamp{}
	}
	info, err := os.Stat(file)
	if err != nil {
		return fileStamp{} // whoever reads it says so
	}
	return fileStamp{info.Size(), info.ModTime()}
}
