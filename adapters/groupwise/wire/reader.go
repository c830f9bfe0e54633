package wire

import (
	"bufio"
	"encoding/binary"
	"io"
)

// readBuffer is what a connection that waits holds.
const readBuffer = 512

// ClientReader reads what a server sends.
type ClientReader struct{ in *bufio.Reader }

// NewClientReader gives a reader of what a server sends on a connection.
func NewClientReader(from io.Reader) *ClientReader {
	return &ClientReader{bufio.NewReaderSize(from, readBuffer)}
}

// Wait returns when the next message has begun to come. The error is the
// connection's; io.EOF where the server closed it between messages.
func (r *ClientReader) Wait() error {
	_, err := r.in.Peek(1)
	return err
}

// Next gives the next message: one of the two is not nil. A fault in the bytes is
// a *[FormatError], a message that breaks off io.ErrUnexpectedEOF.
func (r *ClientReader) Next() (*Response, *Event, error) {
	d := &decoder{in: r.in, what: "message", budget: MaxMessage}
	var head [4]byte
	if err := d.full(head[:]); err != nil {
		return nil, nil, err
	}
	if string(head[:]) == "HTTP" {
		response, err := d.response()
		return response, nil, err
	}
	event, err := d.event(EventType(binary.LittleEndian.Uint32(head[:])))
	return nil, event, err
}

// ServerReader reads what a client sends.
type ServerReader struct{ in *bufio.Reader }

// NewServerReader gives a reader of what a client sends on a connection.
func NewServerReader(from io.Reader) *ServerReader {
	return &ServerReader{bufio.NewReaderSize(from, readBuffer)}
}

// Wait returns when the next request has begun to come, see [ClientReader.Wait].
func (r *ServerReader) Wait() error {
	_, err := r.in.Peek(1)
	return err
}

// Next gives the next request. A fault in the bytes is a *[FormatError].
func (r *ServerReader) Next() (*Request, error) {
	return (&decoder{in: r.in, budget: MaxMessage}).request()
}
