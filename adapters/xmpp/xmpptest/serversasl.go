package xmpptest

import (
	"encoding/base64"
	"encoding/xml"
	"errors"
	"slices"
	"strings"
	"sync"

	"github.com/xdg-go/scram"
)

// sasl goes through one exchange. It gives who has authenticated and what the
// success carries, or the condition of the failure.
func (s *stream) sasl(auth *element) (name, final, condition string) {
	mechanism := auth.attr("mechanism")
	if !slices.Contains(s.mechanisms(), mechanism) {
		return "", "", "invalid-mechanism"
	}
	first, err := base64.StdEncoding.DecodeString(strings.TrimSpace(auth.Inner))
	if err != nil {
		return "", "", "incorrect-encoding"
	}
	if mechanism == "PLAIN" {
		return s.plain(string(first))
	}
	exchange := s.server.scram.byMechanism[mechanism].NewConversation()
	for message := string(first); ; {
		answer, err := exchange.Step(message)
		switch {
		case err != nil:
			return "", "", "not-authorized"
		case exchange.Done():
			return exchange.Username(), answer, ""
		}
		if message, err = s.challenge(answer); err != nil {
			return "", "", "malformed-request"
		}
	}
}

// plain checks the message of SASL PLAIN, RFC 4616.
func (s *stream) plain(message string) (name, final, condition string) {
	parts := strings.Split(message, "\x00")
	if len(parts) != 3 {
		return "", "", "malformed-request"
	}
	if password, known := s.server.password(parts[1]); !known || password != parts[2] {
		return "", "", "not-authorized"
	}
	return parts[1], "", ""
}

func (s *stream) challenge(text string) (answer string, err error) {
	if err := s.write("<challenge xmlns='" + nsSASL + "'>" + base64.StdEncoding.EncodeToString([]byte(text)) + "</challenge>"); err != nil {
		return "", err
	}
	e, err := s.next()
	if err != nil {
		return "", err
	}
	if e.XMLName != (xml.Name{Space: nsSASL, Local: "response"}) {
		return "", errors.New("no response to a challenge")
	}
	data, err := base64.StdEncoding.DecodeString(strings.TrimSpace(e.Inner))
	return string(data), err
}

// scramServers check SCRAM exchanges. All users have one salt, so that what is
// derived of a password can be kept: thousands share one in a benchmark.
type scramServers struct {
	byMechanism map[string]*scram.Server
}

// scramFactors are the same for everybody, see [scramServers].
var scramFactors = scram.KeyFactors{Salt: "a salt for all", Iters: 4096}

func newScramServers(password func(name string) (string, bool)) *scramServers {
	s := &scramServers{byMechanism: make(map[string]*scram.Server)}
	for name, hash := range map[string]scram.HashGeneratorFcn{"SCRAM-SHA-256": scram.SHA256, "SCRAM-SHA-1": scram.SHA1} {
		keys := &scramKeys{hash: hash, byPassword: make(map[string]scram.StoredCredentials)}
		server, err := hash.NewServer(func(name string) (scram.StoredCredentials, error) {
			secret, known := password(name)
			if !known {
				return scram.StoredCredentials{}, errors.New("no such user")
			}
			return keys.of(secret)
		})
		if err != nil {
			panic("scram: " + err.Error()) // only for a hash that is not there
		}
		s.byMechanism[name] = server
	}
	return s
}

// scramKeys remember what was derived of which password.
type scramKeys struct {
	hash       scram.HashGeneratorFcn
	mu         sync.Mutex
	byPassword map[string]scram.StoredCredentials
}

func (k *scramKeys) of(password string) (scram.StoredCredentials, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if known, ok := k.byPassword[password]; ok {
		return known, nil
	}
	client, err := k.hash.NewClient("", password, "")
	if err != nil {
		return scram.StoredCredentials{}, err
	}
	stored, err := client.GetStoredCredentialsWithError(scramFactors)
	if err == nil {
		k.byPassword[password] = stored
	}
	return stored, err
}
