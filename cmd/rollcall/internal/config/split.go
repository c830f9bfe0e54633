package config

// Router are the settings of `rollcall router`.
type Router struct {
	// Listen is the host:port that devices connect to.
	Listen string `toml:"listen" koanf:"listen"`
	// Dispatcher is the host:port that the router hands connections on to.
	Dispatcher string `toml:"dispatcher" koanf:"dispatcher"`
}

// Dispatcher are the settings of `rollcall dispatcher`.
type Dispatcher struct {
	// Listen is the host:port that routers connect to.
	Listen string `toml:"listen" koanf:"listen"`
}

func defaultRouter() Router { return Router{Listen: ":3101", Dispatcher: "127.0.0.1:3102"} }

func defaultDispatcher() Dispatcher { return Dispatcher{Listen: "127.0.0.1:3102"} }
