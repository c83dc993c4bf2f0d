# Targets are thin: what they do is written in Go under cmd/ and tools/.
SHELL := /bin/bash
GO    ?= go
BIN   := $(CURDIR)/bin
COMMIT := $(shell git describe --always --abbrev=40 --exclude="*" --dirty=+changes 2>/dev/null)
GOLANGCI_VERSION := v2.15.0
GOLANGCI := $(BIN)/golangci-lint-$(GOLANGCI_VERSION)
NETNS_PACKAGES = $(shell $(GO) list -tags netns -f '{{.ImportPath}} {{.TestGoFiles}} {{.XTestGoFiles}}' ./... | grep netns_test.go | cut -d' ' -f1)
BPF_DIRS := impl/fnat/bpf impl/l4/bpf

.DEFAULT_GOAL := help

.PHONY: help
help: ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: build
build: ## every binary into bin/
	@mkdir -p $(BIN)
	$(GO) build -trimpath -o $(BIN)/ ./cmd/...
	$(GO) build -trimpath -ldflags '-X main.commitHere=$(COMMIT)' -o $(BIN)/ ./cmd/lbsim # runs tell it

.PHONY: test
test: ## unit tests with the race detector, and those of the engine without it where they bound time and allocations; no root, no network
	$(GO) test -race ./...
	$(GO) test ./impl/engine/h1 ./impl/engine/h2 ./impl/engine/loop

.PHONY: test-slow
test-slow: ## tests of the event loop whose subject is time: slow peers, stalls, drains, a soak; never in CI
	$(GO) test -tags slow -timeout 10m ./impl/engine/loop

.PHONY: test-net
test-net: build ## tests that need root, namespaces or eBPF
	UNILB_BIN=$(BIN) $(GO) test -race -tags netns $(NETNS_PACKAGES)

.PHONY: conformance
conformance: build $(BIN)/scenarios.test ## cases and scenarios against our gateway; report in out/conformance/
	$(BIN)/lbsim conform --gateway l7gw --scenarios $(BIN)/scenarios.test --out out/conformance
	$(BIN)/lbsim conform --gateway l7gw-uri --profile ROUTER-URI --out out/conformance-uri
	$(BIN)/lbsim conform --gateway l7gw-parameter --profile ROUTER-PARAMETER --out out/conformance-parameter
	$(BIN)/lbsim conform --gateway l7gw-configs --out out/conformance-configs
	$(BIN)/lbsim conform --gateway l7gw-proxied --out out/conformance-proxied

.PHONY: compare
compare: build ## two builds of the gateway, interleaved, one verdict: BASE= HEAD= programs, manifests or runs; ARGS= for lbsim compare
	$(BIN)/lbsim compare $(BASE) $(HEAD) $(ARGS)

.PHONY: conformance-all
conformance-all: build ## every gateway that has a driver and is installed, then one page of all in out/conformance-all/; ARGS= for lbsim conform
	$(GO) run ./tools/conformall -lbsim bin/lbsim -out out/conformance-all -- $(ARGS)

# Cases that nginx and HAProxy pass whole: routing, balancing and bodies.
INTEROP := --case 'ROUTE-EXACT*' --case 'ROUTE-PREFIX*' --case 'ROUTE-HOST*' --case 'ROUTE-METHOD*' --case LB-WEIGHTED --case BODY-INTACT --case 'CONN-PIPELINE-*'

.PHONY: interop
interop: build ## judges from outside at our gateway (h2spec, connect conformance REPEAT= times, grpc-go); nginx and HAProxy, as Debian packages them, by cases that both pass; drivers tried with a reload and a drain
	$(GO) run ./tools/interop --bin $(BIN) --out out/interop --repeat $(or $(REPEAT),1)
	@for g in nginx haproxy; do \
	  $(BIN)/lbsim driver check $$g --try && $(BIN)/lbsim conform --gateway $$g $(INTEROP) --out out/interop/$$g || exit 1; \
	done

.PHONY: reports
reports: conformance-all ## judge every installed gateway and publish the reports under conformance/reports
	$(GO) run ./tools/reports --from out/conformance-all

.PHONY: scenarios
scenarios: build $(BIN)/scenarios.test ## only the scenarios, in random order; LABEL= chooses, GATEWAY=l7gw-std is our gateway with the other engine
	UNILB_BIN=$(BIN) UNILB_GATEWAY='$(GATEWAY)' $(BIN)/scenarios.test --ginkgo.v --ginkgo.randomize-all --ginkgo.fail-on-empty --ginkgo.label-filter='$(LABEL)'

.PHONY: $(BIN)/scenarios.test
$(BIN)/scenarios.test:
	$(GO) test -c -tags scenarios -o $@ ./scenarios

.PHONY: prove
prove: build $(BIN)/scenarios.test ## three known-bad builds, others each commit: the suite must catch each one
	$(GO) run ./tools/prove --bin $(BIN) --some 3 --turn $$(git rev-list --count HEAD)

.PHONY: prove-all
prove-all: build $(BIN)/scenarios.test ## every known-bad build
	$(GO) run ./tools/prove --bin $(BIN)

.PHONY: record
record: build $(BIN)/scenarios.test ## every bug that was ours once, built again: each must be caught; ONLY= chooses
	$(GO) run ./tools/prove --bin $(BIN) --mutants scenarios/record --only '$(ONLY)'

.PHONY: bench-lab
bench-lab: build ## measure the testbed; result in docs/bench/lab.json. BENCH= chooses (names, or their beginnings), result in out/
	$(GO) build -trimpath -o $(BIN)/ ./tools/benchlab
	@mkdir -p out
	$(BIN)/benchlab --bin $(BIN) --only '$(BENCH)' --out $(if $(BENCH),out/bench-lab.json,docs/bench/lab.json)

.PHONY: bench
bench: build ## the engine beside nginx and HAProxy; docs/bench/engine.json and docs/performance.md. ROWS= chooses (result in out/), QUICK=1 is an impression, GATEWAYS='loop=--engine=loop ...'
	$(GO) build -trimpath -o $(BIN)/ ./tools/bench
	@mkdir -p out
	$(BIN)/bench --bin $(BIN) --rows '$(ROWS)' $(if $(QUICK),--quick) $(foreach g,$(GATEWAYS),--gateway '$(g)') $(ARGS) \
	  $(if $(ROWS)$(QUICK),--out out/bench.json,--out docs/bench/engine.json --merge)
	$(if $(ROWS)$(QUICK),,$(GO) run ./tools/bench report)

.PHONY: bench-config
bench-config: build ## the configuration plane with 100 000 routes; docs/bench/config.json and docs/performance.md. ROWS= chooses (result in out/), QUICK=1 is an impression
	$(GO) build -trimpath -o $(BIN)/ ./tools/benchconfig
	$(GO) test -c -trimpath -o $(BIN)/config.bench ./impl/config
	@mkdir -p out
	$(BIN)/benchconfig --bin $(BIN) --rows '$(ROWS)' $(if $(QUICK),--quick) $(ARGS) \
	  $(if $(ROWS)$(QUICK),--out out/bench-config.json,--out docs/bench/config.json --merge)
	$(if $(ROWS)$(QUICK),,$(GO) run ./tools/bench report)

.PHONY: bench-deps
bench-deps: ## what make bench compares with and loads with, from Debian; starts no daemon (root)
	tools/bench/install-deps

.PHONY: soak
soak: build ## lbsim killed at random moments, ROUNDS= times with SEED=: nothing is left, nothing else is touched
	$(GO) run ./tools/soak -bin $(BIN) -rounds $(or $(ROUNDS),50) -seed $(or $(SEED),0)

.PHONY: lint
lint: $(GOLANGCI) ## vet, golangci-lint, arrows between packages, package comments, generated files
	$(GO) vet -tags 'netns scenarios slow' ./...
	$(GO) run ./tools/archcheck
	$(GO) run ./tools/schemagen --check
	$(GO) run ./tools/prove --mutants scenarios/record --page docs/record.md --check
	$(GO) run ./tools/casegen --check
	$(GO) run ./tools/reports --check
	$(GO) run ./tools/bench report --check
	@for d in $(BPF_DIRS); do (cd $$d && sha256sum --quiet -c SOURCES.sha256) || { echo "$$d: C sources changed: run make gen"; exit 1; }; done
	$(GOLANGCI) run

$(GOLANGCI):
	@mkdir -p $(BIN)
	GOBIN=$(BIN) $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_VERSION)
	mv $(BIN)/golangci-lint $@

.PHONY: gen
gen: export BPF2GO_CC = clang-14
gen: export BPF2GO_STRIP = llvm-strip-14
gen: schema docs ## rebuild eBPF objects (needs clang-14, llvm-14 and libbpf-dev: another compiler makes other bytes), schemas and pages of cases
	$(GO) generate ./impl/...
	$(GO) run ./tools/prove --generate
	$(GO) run ./tools/prove --generate --mutants scenarios/record
	$(GO) run ./tools/prove --mutants scenarios/record --page docs/record.md

.PHONY: schema
schema: ## rebuild the JSON schemas of topologies, scenarios, reports and quarantines
	$(GO) run ./tools/schemagen

.PHONY: docs
docs: ## rebuild the pages of the cases under docs/cases
	$(GO) run ./tools/casegen

.PHONY: gen-check
gen-check: ## rebuild eBPF objects and compare with what is committed
	$(MAKE) gen
	@changed=$$(git status --porcelain -- $(BPF_DIRS) 'conformance/mutants/*/*.o' 'scenarios/record/*/*.o'); \
	  [ -z "$$changed" ] || { echo "generated files differ from what is committed:"; echo "$$changed"; exit 1; }

.PHONY: fmt
fmt: $(GOLANGCI) ## format Go code
	$(GOLANGCI) fmt

.PHONY: doctor
doctor: build ## what this machine can and cannot do
	$(BIN)/lbsim doctor

.PHONY: clean
clean: ## remove what make built
	rm -rf bin out
