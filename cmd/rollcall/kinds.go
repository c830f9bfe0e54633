package main

import (
	"log/slog"
	"strings"

	"github.com/spf13/cobra"

	"rollcall/adapters/groupwise"
	"rollcall/adapters/local"
	"rollcall/adapters/sametime"
	"rollcall/adapters/xmpp"
	"rollcall/domain"
	"rollcall/domain/broker"
)

// protocol is what the program has for a kind of service.
type protocol struct {
	kind      domain.Kind
	connector func(*local.Connector, *slog.Logger) broker.Connector
	demo      openPlace // nil where the demo would need a real server
}

// protocols is the one list of the kinds of service, in the order in which people
// read of them: every connector, text and completion comes from it.
var protocols = []protocol{
	{domain.KindLocal, func(builtIn *local.Connector, _ *slog.Logger) broker.Connector { return builtIn }, builtInPlace},
	{domain.KindXMPP, func(*local.Connector, *slog.Logger) broker.Connector { return xmpp.New() }, nil},
	{domain.KindGroupWise, func(*local.Connector, *slog.Logger) broker.Connector { return groupwise.New() }, groupWisePlace},
	{domain.KindSametime, func(_ *local.Connector, logger *slog.Logger) broker.Connector { return sametime.New(logger) }, sametimePlace},
}

// connectors gives the connector of every kind of service.
func connectors(builtIn *local.Connector, logger *slog.Logger) []broker.Connector {
	all := make([]broker.Connector, len(protocols))
	for i, p := range protocols {
		all[i] = p.connector(builtIn, logger)
	}
	return all
}

// kinds gives the name of every kind.
func kinds() []string {
	names := make([]string, len(protocols))
	for i, p := range protocols {
		names[i] = string(p.kind)
	}
	return names
}

// anyOf says words as a choice: "a, b or c".
func anyOf(words []string) string {
	last := len(words) - 1
	if last < 1 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

// completes has shells complete the values of a flag of cmd's.
func completes(cmd *cobra.Command, flag string, values []string) {
	if err := cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp)); err != nil {
		panic(err) // cmd has no such flag, or twice: the caller's mistake
	}
}
