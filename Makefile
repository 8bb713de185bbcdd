# Run "make" to see the targets.

# The tags: "synctests" adds tests with a fake clock, "kafka" those that start a
# real broker or schema registry (they need a JDK 21+, for a broker alone 17+, and,
# the first time, Maven), "producers" those that run programs of other languages.
KAFKA_TAGS := kafka,synctests
# Every package with a test file of the tag kafka.
KAFKA_PKGS = $(shell grep -rlE --include='*_test.go' '^//go:build .*\bkafka\b' . | xargs -r -n1 dirname | sort -u)

# Runs "go test", and fails when a payload or a secret of the tests shows in any
# output or log.
SEARCHED := go run ./internal/canary/search

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
SEEDS   ?= 1000000

# Where "go install" puts the tools.
GOBIN := $(or $(shell go env GOBIN),$(shell go env GOPATH)/bin)
export PATH := $(GOBIN):$(PATH)

.DEFAULT_GOAL := help
.PHONY: help build test test-kafka test-producers lint simulate rules guards bench bench-memory bench-sizing profile demo clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## build the static binary bin/kafka-kustomer
	CGO_ENABLED=0 go build -trimpath -ldflags '-s -w -X main.version=$(VERSION)' -o bin/kafka-kustomer ./cmd/kafka-kustomer

# The model runs once more without the race detector: a seed is one thread, and
# ten times as many seeds fit in the time.
test: ## run all tests that need nothing but Go
	$(SEARCHED) go test -json -race -shuffle=on -tags synctests ./...
	$(SEARCHED) go test -json -shuffle=on ./internal/model

# One package at a time: brokers of several packages would share the processors,
# and what these tests measure is time.
test-kafka: ## run the tests against a real Kafka, which they start
	$(SEARCHED) go test -json -tags $(KAFKA_TAGS) -count=1 -timeout 15m -p 1 $(KAFKA_PKGS)

test-producers: ## run producers of other languages, which it installs, against a real Kafka and registry
	$(SEARCHED) go test -json -tags producers -count=1 -timeout 15m ./deploy/producers

lint: ## check format, go vet and staticcheck
	@files="$$(gofumpt -l .)"; if [ -n "$$files" ]; then printf 'not gofumpt-formatted:\n%s\n' "$$files"; exit 1; fi
	go vet ./...
	go vet -tags $(KAFKA_TAGS),producers ./...
	staticcheck ./...
	staticcheck -tags $(KAFKA_TAGS),producers ./...

simulate: ## run the model of Kafka, API and crashes over SEEDS seeds
	go run ./internal/model/simulate -seeds $(SEEDS)

rules: ## show which rule of the core the model needs for which fault
	go run ./internal/model/simulate -table

guards: ## take the guards away one at a time and name the test that notices
	go run ./internal/guards

bench: ## measure processor time and allocations of an event, part by part and as a whole
	go run ./internal/bench

bench-memory: ## measure what the program holds when the API is stuck, events are large, or all are of one message
	go run ./internal/bench -memory

bench-sizing: ## measure what gets through under each of Kustomer's quotas (three minutes)
	go run ./internal/bench -sizing

profile: ## run a million events under the profiler; the result is bin/cpu.pprof
	@mkdir -p bin
	go test -run '^$$' -bench '^BenchmarkRun$$' -benchtime 1000000x -o bin/run.test -cpuprofile bin/cpu.pprof ./cmd/kafka-kustomer
	go tool pprof -top -cum -nodecount 40 bin/run.test bin/cpu.pprof

demo: ## run connector, Kafka and Kustomer in one process, for a look
	go run ./cmd/kafka-kustomer demo

clean: ## remove what was built
	rm -rf bin
	find . -name '*.test' -type f -delete
