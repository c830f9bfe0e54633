package xmpp

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"

	"rollcall/domain"
	"rollcall/domain/broker"
)

// resolver is the part of net.Resolver that finding a server takes.
type resolver interface {
	LookupSRV(ctx context.Context, service, proto, name string) (string, []*net.SRV, error)
}

// dialFunc opens a TCP connection.
type dialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// services are the SRV names and default ports of the TLS modes: RFC 6120
// section 3.2.1 and XEP-0368.
var services = map[tlsMode]struct {
	name string
	port int
}{
	tlsStart:  {"xmpp-client", 5222},
	tlsDirect: {"xmpps-client", 5223},
	tlsNone:   {"xmpp-client", 5222},
}

// maxCandidates is how many of a domain's SRV records are tried.
const maxCandidates = 8

// candidates gives the addresses at which a domain's server may be, best first.
func (c *Connector) candidates(ctx context.Context, o *options, domainName string) ([]string, error) {
	if o.address != "" {
		return []string{o.address}, nil
	}
	service := services[o.mode]
	_, records, err := c.resolver.LookupSRV(ctx, service.name, "tcp", domainName)
	var missing *net.DNSError
	if errors.As(err, &missing) && missing.IsNotFound || err == nil && len(records) == 0 {
		return []string{net.JoinHostPort(domainName, strconv.Itoa(service.port))}, nil
	}
	if err != nil && len(records) == 0 {
		return nil, fmt.Errorf("look up the server of %s: %w; the service's address can name it instead", domainName, err)
	}
	if len(records) == 1 && records[0].Target == "." {
		return nil, fmt.Errorf("%s says by its SRV record that it has no %s service", domainName, service.name)
	}
	var found []string
	for _, r := range records[:min(len(records), maxCandidates)] {
		found = append(found, net.JoinHostPort(strings.TrimSuffix(r.Target, "."), strconv.Itoa(int(r.Port))))
	}
	return found, nil
}

// dialAny connects to the first candidate that takes the connection.
func (c *Connector) dialAny(ctx context.Context, candidates []string) (net.Conn, error) {
	var faults []error
	for _, address := range candidates {
		conn, err := c.dial(ctx, "tcp", address)
		if err == nil {
			return conn, nil
		}
		faults = append(faults, err)
	}
	err := errors.Join(faults...)
	if ctx.Err() != nil {
		return nil, failure(ctx, "connect to "+strings.Join(candidates, ", "), err)
	}
	text := strings.ReplaceAll(err.Error(), "\n", "; ")
	return nil, &broker.UpstreamError{Code: domain.RejectUpstreamUnreachable, Text: "connect: " + text, Err: err}
}
