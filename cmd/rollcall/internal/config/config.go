package config

import (
	"fmt"
	"time"
)

// Config is every setting of the long-running commands.
type Config struct {
	// Data is the data folder.
	Data string `toml:"data" koanf:"data"`
	// Listen is the host:port that devices connect to.
	Listen string `toml:"listen" koanf:"listen"`
	// PublicAddress is the host:port that enrolment strings tell devices; the
	// address listened on where it is empty.
	PublicAddress Address `toml:"public-address" koanf:"public-address"`
	// Collaboration is the host:port of the link between dispatchers and the
	// collaboration service: serve listens there, a dispatcher connects there.
	Collaboration string `toml:"collaboration" koanf:"collaboration"`
	// RemoteDispatchers tells serve to take devices from dispatchers on other
	// machines instead of listening for devices itself.
	RemoteDispatchers bool `toml:"remote-dispatchers" koanf:"remote-dispatchers"`
	// Dispatchers are the pins of the dispatchers that serve lets in.
	Dispatchers []Pin `toml:"dispatchers" koanf:"dispatchers"`

	Timing     Timing     `toml:"timing" koanf:"timing"`
	Log        Log        `toml:"log" koanf:"log"`
	Metrics    Metrics    `toml:"metrics" koanf:"metrics"`
	Router     Router     `toml:"router" koanf:"router"`
	Dispatcher Dispatcher `toml:"dispatcher" koanf:"dispatcher"`
}

// Timing says how long things may take.
type Timing struct {
	// StatusInterval is how often a device tells that it is there.
	StatusInterval Duration `toml:"status-interval" koanf:"status-interval"`
	// CoverageGrace is how long a device may be out of reach before that is
	// recorded.
	CoverageGrace Duration `toml:"coverage-grace" koanf:"coverage-grace"`
	// UpstreamTimeout bounds an upstream login.
	UpstreamTimeout Duration `toml:"upstream-timeout" koanf:"upstream-timeout"`
}

// Log says what is logged.
type Log struct {
	Level  Level  `toml:"level" koanf:"level"`
	Format Format `toml:"format" koanf:"format"`
}

// Metrics says where Prometheus may collect metrics; nowhere if Listen is empty.
type Metrics struct {
	Listen string `toml:"listen" koanf:"listen"`
}

// Default gives the settings that hold where nothing else is said.
func Default() Config {
	return Config{
		Data:          "./rollcall-data",
		Listen:        ":3101",
		Collaboration: ":3200",
		Timing: Timing{
			StatusInterval:  Duration{time.Minute},
			CoverageGrace:   Duration{10 * time.Second},
			UpstreamTimeout: Duration{30 * time.Second},
		},
		Router:     defaultRouter(),
		Dispatcher: defaultDispatcher(),
	}
}

// Error tells which setting cannot be used, where it was made, and what would do.
type Error struct {
	Where   string // such as "rollcall.toml:3", "ROLLCALL_LISTEN" or "--listen"
	Setting string // the key, such as "timing.status-interval"; may be empty
	Problem string
}

func (e *Error) Error() string {
	if e.Setting == "" {
		return fmt.Sprintf("%s: %s", e.Where, e.Problem)
	}
	return fmt.Sprintf("%s: %s: %s", e.Where, e.Setting, e.Problem)
}
