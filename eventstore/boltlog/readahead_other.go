//go:build !linux

package boltlog

import "rollcall/eventstore"

func (l *Log) readAhead(eventstore.Position) {}
