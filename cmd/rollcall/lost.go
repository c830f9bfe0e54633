package main

import (
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"rollcall/adapters/inbox"
	"rollcall/eventstore"
)

// losses are the files that every data folder with something in its log has, what
// it means that one is not there, and what can be done.
var losses = []struct{ file, meaning, next string }{
	{serverKeyFile, "there was no server key, and a new one is made: no device that is enrolled can connect any more",
		"stop, put the file back from a backup, and start again; where there is none, enrol every device again"},
	{inbox.FileName, "there was no inbox, and a new one is made: messages that waited in it for devices are lost",
		"nothing after an update or after a backup was restored; else stop, put the file back, and start again"},
}

// warnOfLoss tells what is missing beside a log that ends at last, before it is made
// anew.
func warnOfLoss(data string, last eventstore.Position, logger *slog.Logger) {
	if last == 0 {
		return
	}
	for _, l := range losses {
		if _, err := os.Stat(filepath.Join(data, l.file)); errors.Is(err, fs.ErrNotExist) {
			logger.Warn(l.meaning, "file", filepath.Join(data, l.file), "next", l.next)
		}
	}
}
