package inbox

// Unsynced makes commits fast that no power cut is meant to hit.
func Unsynced(o Options) Options {
	o.noSync = true
	return o
}
