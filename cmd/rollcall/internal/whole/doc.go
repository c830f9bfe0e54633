// Package whole measures the system as a whole: the broker over the log on disk,
// with the built-in service, with and without the device link. It holds
// benchmarks only; what they gave is told in docs/performance.md.
package whole
