# make test    everything: format, vet, staticcheck, all tests with the race detector and real peers
# make demo    the whole story in a few seconds
# make build   bin/rollcall
# make bench   benchmarks, side by side with alternatives
# make lint    format, vet, staticcheck only
# make fuzz    every fuzz test for FUZZTIME each (default 10s)
# make crash   kill -9 under load, CRASH_ROUNDS times (default 200)
# make torture kills, power cuts and failing disks in their long form (docs/guarantees.md)
# make bench-log  the log beside one file, bbolt, SQLite, PostgreSQL and Redis
# make bench-replay  reading a history again: the log beside a flat file and SQLite

GO           ?= go
FUZZTIME     ?= 10s
BENCH        ?= .
CRASH_ROUNDS ?= 200
VERSION      ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)

# What tests talk to: commands, each with its Debian package behind a colon where
# that has another name.
PEERS      := prosody strace protoc:protobuf-compiler bitlbee:bitlbee-libpurple
PATH       := $(PATH):/usr/sbin:/sbin
peer        = $(if $(shell command -v $(firstword $(subst :, ,$(1)))),,$(lastword $(subst :, ,$(1))))
MISSING     = $(strip $(foreach p,$(PEERS),$(call peer,$(p))))

.PHONY: test demo build bench bench-log bench-replay lint fuzz crash torture peers
.DEFAULT_GOAL := build

build:
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags "-X main.version=$(VERSION)" -o bin/rollcall ./cmd/rollcall

demo: build
	bin/rollcall demo

test: peers lint
	ROLLCALL_REQUIRE_PEERS=1 $(GO) test -race -timeout 15m ./...

lint:
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); \
	if [ -n "$$unformatted" ]; then echo "not formatted; run gofmt -w on:" $$unformatted >&2; exit 1; fi
	$(GO) vet ./...
	$(GO) tool staticcheck ./...

# Real servers and tools that the tests need: installed where that is allowed,
# else named.
peers:
	@missing="$(MISSING)"; \
	if [ -z "$$missing" ]; then exit 0; fi; \
	if [ "$$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then \
		echo "the tests need these Debian packages, which are not installed: $$missing" >&2; \
		echo "install them (apt-get install $$missing), or run 'go test ./...', which skips what needs them" >&2; \
		exit 1; \
	fi; \
	echo "installing $$missing"; \
	export DEBIAN_FRONTEND=noninteractive; \
	{ apt-get install -y -qq --no-install-recommends $$missing || { apt-get update -qq && apt-get install -y -qq --no-install-recommends $$missing; }; } >/dev/null

bench:
	$(GO) test -run '^$$' -bench '$(BENCH)' -benchmem -timeout 60m ./...

# One package at a time: the fuzzer takes one target a run.
fuzz:
	@set -e; for package in $$($(GO) list ./...); do \
		for target in $$($(GO) test -list '^Fuzz' $$package | grep '^Fuzz' || true); do \
			echo "$$package $$target"; \
			$(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) $$package; \
		done; \
	done

crash:
	ROLLCALL_CRASH_ROUNDS=$(CRASH_ROUNDS) $(GO) test -count=1 -timeout 60m -run 'Crash|Kill' ./...

torture: peers
	ROLLCALL_TORTURE=1 $(GO) test -count=1 -timeout 60m ./domain -rapid.checks=500
	ROLLCALL_TORTURE=1 ROLLCALL_REQUIRE_PEERS=1 $(GO) test -count=1 -timeout 60m ./adapters/inbox
	ROLLCALL_TORTURE=1 $(GO) test -count=1 -timeout 60m ./eventstore/boltlog/internal/...
	ROLLCALL_TORTURE=1 ROLLCALL_REQUIRE_PEERS=1 $(GO) test -count=1 -timeout 60m ./eventstore/boltlog -rapid.checks=1000
	ROLLCALL_TORTURE=1 ROLLCALL_REQUIRE_PEERS=1 $(GO) test -count=1 -timeout 60m -run 'DiskFails|FullDisk|ArriveOnce|CutAtEveryByte|Killed|InboxFails|ManySessions' ./cmd/rollcall

# A module of its own: what the log is compared with is no requirement of Rollcall.
bench-log:
	cd eventstore/benchlog && $(GO) run . $(BENCH_LOG)

bench-replay:
	cd eventstore/benchlog && $(GO) run ./replay $(BENCH_REPLAY)
