package boltlog_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// traced are the calls by which a log changes what is on the disk.
const traced = "openat,pwrite64,write,fdatasync,fsync,ftruncate,rename,renameat,renameat2,link,linkat,unlink,unlinkat,mkdir,mkdirat"

// diskOp is one thing that a process did to its folder.
type diskOp struct {
	kind     opKind
	file     int // its number; files keep theirs through every name
	at       int64
	data     []byte
	name, to string // below the folder
	covers   int    // of a sync: the ops in front of that one were there when it began
	note     int    // what the process had printed
}

type opKind string

const (
	opCreate   opKind = "create"
	opMkdir    opKind = "mkdir"
	opWrite    opKind = "write"
	opTruncate opKind = "truncate"
	opRename   opKind = "rename"
	opLink     opKind = "link"
	opRemove   opKind = "remove"
	opSync     opKind = "sync"
	opSyncDir  opKind = "sync names"
	opNote     opKind = "note"
)

func (o diskOp) String() string {
	switch o.kind {
	case opWrite:
		return fmt.Sprintf("write file %d at %d, %d bytes", o.file, o.at, len(o.data))
	case opTruncate, opSync:
		return fmt.Sprintf("%s file %d %d", o.kind, o.file, o.at)
	case opNote:
		return fmt.Sprintf("note %d", o.note)
	}
	return strings.TrimSpace(fmt.Sprintf("%s %s %s", o.kind, o.name, o.to))
}

// traceReader reads what strace -f -y -xx wrote.
type traceReader struct {
	t       *testing.T
	dir     string
	ops     []diskOp
	names   map[string]int  // of the files as they are
	folders map[string]bool // and of the folders
	files   int
	begun   map[string]begunCall // by thread: the call that another's line interrupts
}

type begunCall struct {
	call, line string
	ops        int // when it began
}

var (
	tracedCall = regexp.MustCompile(`^(\d+) +(\w+)\((.*)\) += (-?\d+)`)
	tracedHalf = regexp.MustCompile(`^(\d+) +(\w+)\((.*) <unfinished \.\.\.>$`)
	tracedRest = regexp.MustCompile(`^(\d+) +<\.\.\. (\w+) resumed>(.*)\) += (-?\d+)`)
	tracedText = regexp.MustCompile(`"((?:\\x[0-9a-f]{2})*)"`)
	tracedPath = regexp.MustCompile(`^\d+<((?:\\x[0-9a-f]{2})*)>`)
)

// readTrace gives what the calls of a trace did to the folder dir, in which there was
// what was on a disk before.
func readTrace(t *testing.T, path, dir string, before *disk) []diskOp {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	r := &traceReader{
		t: t, dir: dir, names: maps.Clone(before.names), folders: maps.Clone(before.folders), begun: make(map[string]begunCall),
	}
	r.folders["."] = true
	for file := range before.files {
		r.files = max(r.files, file)
	}
	for line := range strings.Lines(string(b)) {
		line = strings.TrimSuffix(line, "\n")
		if m := tracedHalf.FindStringSubmatch(line); m != nil {
			r.begun[m[1]] = begunCall{m[2], m[3], len(r.ops)}
		} else if m := tracedRest.FindStringSubmatch(line); m != nil {
			half := r.begun[m[1]]
			r.did(half.call, half.line+m[3], m[4], half.ops)
		} else if m := tracedCall.FindStringSubmatch(line); m != nil {
			r.did(m[2], m[3], m[4], len(r.ops))
		}
	}
	return r.ops
}

// did takes one call, which began when so many ops were done.
func (r *traceReader) did(call, args, result string, began int) {
	if strings.HasPrefix(result, "-") {
		return
	}
	var texts []string
	for _, m := range tracedText.FindAllStringSubmatch(args, -1) {
		texts = append(texts, r.unhex(m[1]))
	}
	if call == "write" {
		r.printed(args, texts)
		return
	}
	switch call {
	case "openat", "mkdir", "mkdirat", "unlink", "unlinkat", "rename", "renameat", "renameat2", "link", "linkat":
		r.named(call, args, texts)
		return
	}
	m := tracedPath.FindStringSubmatch(args)
	if m == nil {
		r.t.Fatalf("%s(%.100s): no file", call, args)
	}
	name, ours := r.below(r.unhex(m[1]))
	if !ours {
		return
	}
	file := r.names[name]
	numbers := strings.Split(args, ", ")
	switch {
	case r.folders[name]:
		r.add(diskOp{kind: opSyncDir, name: name, covers: began})
	case file == 0:
		r.t.Fatalf("%s on %s, which nobody made", call, name)
	case call == "pwrite64":
		r.add(diskOp{kind: opWrite, file: file, at: r.number(numbers[3]), data: []byte(texts[0])})
	case call == "ftruncate":
		r.add(diskOp{kind: opTruncate, file: file, at: r.number(numbers[1])})
	default:
		r.add(diskOp{kind: opSync, file: file, covers: began})
	}
}

// printed takes what the process tells: the last position that is durable.
func (r *traceReader) printed(args string, texts []string) {
	if n, err := strconv.Atoi(strings.TrimSpace(strings.Join(texts, ""))); err == nil && strings.HasPrefix(args, "1<") {
		r.add(diskOp{kind: opNote, note: n})
	}
}

// named takes a call that is about names.
func (r *traceReader) named(call, args string, texts []string) {
	name, ours := r.below(texts[0])
	if !ours {
		return
	}
	to := ""
	if len(texts) > 1 {
		to, _ = r.below(texts[1])
	}
	switch call {
	case "openat":
		if strings.Contains(args, "O_CREAT") && r.names[name] == 0 {
			r.files++
			r.names[name] = r.files
			r.add(diskOp{kind: opCreate, file: r.files, name: name})
		}
	case "mkdir", "mkdirat":
		r.folders[name] = true
		r.add(diskOp{kind: opMkdir, name: name})
	case "unlink", "unlinkat":
		delete(r.names, name)
		delete(r.folders, name)
		r.add(diskOp{kind: opRemove, name: name})
	case "link", "linkat":
		r.names[to] = r.names[name]
		r.add(diskOp{kind: opLink, file: r.names[name], name: name, to: to})
	default:
		r.rename(name, to)
	}
}

func (r *traceReader) rename(name, to string) {
	if !r.folders[name] {
		r.names[to] = r.names[name]
		delete(r.names, name)
		r.add(diskOp{kind: opRename, file: r.names[to], name: name, to: to})
		return
	}
	delete(r.folders, name)
	r.folders[to] = true
	for file, number := range r.names {
		if rest, in := strings.CutPrefix(file, name+"/"); in {
			delete(r.names, file)
			r.names[to+"/"+rest] = number
		}
	}
	r.add(diskOp{kind: opRename, name: name, to: to})
}

func (r *traceReader) add(o diskOp) { r.ops = append(r.ops, o) }

// below gives a path below the folder; false if it is not there, or of no matter.
func (r *traceReader) below(path string) (string, bool) {
	name, err := filepath.Rel(r.dir, path)
	return name, err == nil && !strings.HasPrefix(name, "..") && name != "log.pid"
}

func (r *traceReader) unhex(text string) string {
	b := make([]byte, 0, len(text)/4)
	for ; len(text) >= 4; text = text[4:] {
		c, err := strconv.ParseUint(text[2:4], 16, 8)
		if err != nil {
			r.t.Fatal(err)
		}
		b = append(b, byte(c))
	}
	return string(b)
}

func (r *traceReader) number(text string) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		r.t.Fatal(err)
	}
	return n
}
