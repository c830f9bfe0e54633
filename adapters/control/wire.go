package control

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
)

// maxRequest bounds the body of a request.
const maxRequest = 1 << 20

// An answer is a stream of lines, each a JSON object with one of
//
//	{"answer": …}     one answer; exactly one where the request has one
//	{"error": {…}}    the request failed, see failure; the last line
//	{"end": true}     everything has been said; the last line
//
// A stream without a last line was cut off.
type line struct {
	Answer json.RawMessage `json:"answer,omitempty"`
	Error  *failure        `json:"error,omitempty"`
	End    bool            `json:"end,omitempty"`
}

// decodeRequest takes a request as a whole, or refuses it: a field that is not
// known must not be passed over, as the request would then mean something else.
func decodeRequest[Q any](body []byte) (q Q, err error) {
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(&q); err != nil {
		return q, fmt.Errorf("%w (%v)", ErrOtherVersion, err)
	}
	if _, err := d.Token(); err != io.EOF {
		return q, fmt.Errorf("%w (something follows the request)", ErrOtherVersion)
	}
	return q, nil
}
