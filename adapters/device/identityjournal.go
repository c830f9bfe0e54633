package device

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// identityJournal is the file beside an identity file in which is noted what
// changes often: messages that wait for an answer, answers, and up to where items
// are safe. So a change costs its own bytes and not those of all that waits. Each
// note is a line:
//
//	CRC-32C of the rest, 8 hexadecimal digits, space, JSON, line feed
//
// A note counts if its "of" is the identity file's "journal": after the identity
// file was written anew, with all that the notes say, they are of an earlier one.
// The first line that is cut or damaged ends the journal: nothing that was
// synced lies behind it.
type identityJournal struct {
	path string
	file *os.File // nil until the first note
	size int64    // of the whole notes
	// broken tells that nobody knows what the file holds: the identity file has to
	// be written anew.
	broken bool
}

// note is a line of a journal: one of its last three fields is set.
type note struct {
	Of       uint64     `json:"of"`
	Service  string     `json:"service"`
	Session  uint64     `json:"session"`
	Send     *savedSend `json:"send,omitempty"`
	Sent     string     `json:"sent,omitempty"`
	Received uint64     `json:"received,omitempty"`
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// maxNote is the longest line that is read: the longest message, each byte of it
// escaped, fits.
const maxNote = 6*(MaxBody+MaxAddress+MaxMessageID+MaxService) + 1024

func (n note) line() []byte {
	b, err := json.Marshal(n)
	if err != nil {
		panic("device link: identity: " + err.Error()) // strings and numbers only
	}
	return fmt.Appendf(nil, "%08x %s\n", crc32.Checksum(b, castagnoli), b)
}

func parseNote(line []byte) (n note, ok bool) {
	sum, text, ok := bytes.Cut(bytes.TrimSuffix(line, []byte("\n")), []byte(" "))
	if !ok || string(sum) != fmt.Sprintf("%08x", crc32.Checksum(text, castagnoli)) {
		return note{}, false
	}
	return n, json.Unmarshal(text, &n) == nil
}

// apply does to st what the note says, unless it is about a session that is not
// there any more. To do it again changes nothing.
func (n note) apply(st *identityState) {
	s := st.Sessions[n.Service]
	if s == nil || s.Session != n.Session {
		return
	}
	s.Received = max(s.Received, n.Received)
	switch at := s.find(n.Sent); {
	case n.Send != nil && s.find(n.Send.ID) < 0:
		s.Outbox = append(s.Outbox, *n.Send)
	case n.Send == nil && n.Sent != "" && at >= 0:
		s.Outbox = slices.Delete(s.Outbox, at, at+1)
	}
}

// replay applies the whole notes of the journal at path to st, and gives their
// length.
func replayJournal(path string, st *identityState) (int64, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("read identity: %w", err)
	}
	defer f.Close()
	return replayNotes(f, st)
}

func replayNotes(r io.Reader, st *identityState) (size int64, err error) {
	lines := bufio.NewReaderSize(r, maxNote)
	for size < maxIdentityFile {
		line, err := lines.ReadSlice('\n')
		if err != nil && err != io.EOF && err != bufio.ErrBufferFull {
			return 0, fmt.Errorf("read identity: %w", err)
		}
		n, ok := parseNote(line)
		if err != nil || !ok {
			break
		}
		if n.Of == st.Journal {
			n.apply(st)
		}
		size += int64(len(line))
	}
	return size, nil
}

// write appends a note. If it cannot, the journal is as it was, or broken.
func (j *identityJournal) write(n note, durable bool) error {
	if err := j.open(); err != nil {
		return err
	}
	line := n.line()
	_, err := j.file.WriteAt(line, j.size)
	if err == nil && durable {
		err = j.file.Sync()
	}
	if err != nil {
		j.broken = true
		return err
	}
	j.size += int64(len(line))
	return nil
}

// open opens the file, and cuts off what does not count.
func (j *identityJournal) open() error {
	if j.file != nil {
		return nil
	}
	f, err := os.OpenFile(j.path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	err = f.Truncate(j.size)
	if err == nil {
		err = syncDir(filepath.Dir(j.path))
	}
	if err != nil {
		return errors.Join(err, f.Close())
	}
	j.file = f
	return nil
}

// restart forgets all notes: they are of an earlier identity file, and do not count
// whether they can be removed or not.
func (j *identityJournal) restart() {
	j.size, j.broken = 0, false
	if j.file != nil && j.file.Truncate(0) != nil {
		_ = j.file.Close()
		j.file = nil // until it is opened, and they are cut off
	}
}

func (j *identityJournal) close() error {
	if j.file == nil {
		return nil
	}
	return j.file.Close()
}
