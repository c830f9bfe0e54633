package device

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"strings"
	"time"
	"unicode"

	"rollcall/adapters/device/linkpb"
)

// Join makes an identity at path and enrols it with an enrolment string, under
// the name label, which an administrator sees. The key pair is on the disk before
// the string is spent: if the answer is lost, the same Join again finds the
// identity and completes it. It gives an *[EnrolmentError], one of
// [ErrLabel], [ErrUnknownSecret], [ErrOfferExpired], [ErrOfferSpent] and
// [ErrTryLater], or a *[NoCoverageError]. An identity that is enrolled already is not touched:
// fs.ErrExist.
func Join(ctx context.Context, enrolment, path, label string, o Options) (*Identity, error) {
	e, err := ParseEnrolment(enrolment)
	if err != nil {
		return nil, err
	}
	if len(label) > MaxLabel || strings.ContainsFunc(label, unicode.IsControl) {
		return nil, ErrLabel
	}
	opening := openEnrol(e.Secret, label)
	if err := checkOpening(opening); err != nil {
		return nil, err
	}
	i, err := joining(path, e)
	if err != nil {
		return nil, err
	}
	if err := i.redeem(ctx, opening, o); err != nil {
		if refused(err) {
			err = errors.Join(err, os.Remove(path), removeLock(path+lockSuffix))
		}
		return nil, errors.Join(err, i.Close())
	}
	return i, nil
}

// joining gives the identity that is to be enrolled: a new one, or the one that
// an earlier Join left unfinished.
func joining(path string, e Enrolment) (*Identity, error) {
	key, err := NewKey()
	if err != nil {
		return nil, err
	}
	fresh := identityState{
		Format: identityFormat, Key: key.pair.Bytes(), Server: e.ServerKey, Address: e.Address, Token: e.Token[:],
		Journal: rand.Uint64N(1 << 52), // not that of one whose journal still lies there
	}
	if err := writeNew(path, fresh.encode()); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("write identity: %w", err)
	}
	i, err := OpenIdentity(path)
	if err != nil {
		return nil, err
	}
	if i.Device() != 0 || string(i.state.Server) != string(e.ServerKey) {
		return nil, errors.Join(fmt.Errorf("there is an identity at %s already: %w", path, fs.ErrExist), i.Close())
	}
	i.state.Address, i.state.Token = e.Address, e.Token[:]
	return i, nil
}

func (i *Identity) redeem(ctx context.Context, opening *linkpb.ToServer, o Options) error {
	began := time.Now()
	ch, m, err := NewClient(i, o).exchange(ctx, opening)
	if err != nil {
		return fmt.Errorf("enrol: %w", coverage(ctx, began, err))
	}
	defer ch.conn.Close()
	switch b := m.GetBody().(type) {
	case *linkpb.ToDevice_Enrolled:
		return i.update(func(st *identityState) { st.Device = b.Enrolled.GetDevice() })
	case *linkpb.ToDevice_EnrolRefused:
		return enrolError(b.EnrolRefused.GetCode())
	}
	return malformed("answer", "it does not answer an enrolment")
}

func enrolError(code linkpb.EnrolCode) error {
	switch code {
	case linkpb.EnrolCode_ENROL_CODE_UNKNOWN_SECRET:
		return ErrUnknownSecret
	case linkpb.EnrolCode_ENROL_CODE_EXPIRED:
		return ErrOfferExpired
	case linkpb.EnrolCode_ENROL_CODE_SPENT:
		return ErrOfferSpent
	}
	return ErrTryLater
}

// refused tells that the string will never be of use, nor the key pair with it.
func refused(err error) bool {
	return errors.Is(err, ErrUnknownSecret) || errors.Is(err, ErrOfferExpired) || errors.Is(err, ErrOfferSpent)
}
