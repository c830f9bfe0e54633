package device

// WarmUp makes the compressor outside of any synctest bubble.
func WarmUp() { compress(nil, dictionary[:100]) }
