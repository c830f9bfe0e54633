// Package projectiontest is what the tests of projections share: records written
// down as text, logs drawn by domain.Decide, and views dumped as text.
package projectiontest
