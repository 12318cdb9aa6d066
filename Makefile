# Everything a person types. `make help` lists it; programs it needs are installed by it.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

VENV := .venv
PYTHON := $(VENV)/bin/python
READY := $(VENV)/.ready
CODE := operator tests examples

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: venv
venv: $(READY) ## make the checkout's own Python environment
$(READY): tests/requirements.txt pyproject.toml
	@bash tests/support/python.sh $(VENV)
	@touch $@

.PHONY: demo
demo: $(READY) ## a real cluster, a real model, a prediction; left running
	@$(PYTHON) -m tests.support.demo up

.PHONY: demo-down
demo-down: $(READY) ## remove what `make demo` made
	@$(PYTHON) -m tests.support.demo down

.PHONY: cluster
cluster: $(READY) ## start the embedded cluster, with a node
	@$(PYTHON) -m tests.cluster up

.PHONY: cluster-down
cluster-down: $(READY) ## stop the embedded clusters and leave nothing behind
	@$(PYTHON) -m tests.cluster down --name hune
	@$(PYTHON) -m tests.cluster down --name hune-apiserver

.PHONY: images
images: $(READY) ## build all images with buildah
	@$(PYTHON) -m tests.cluster build images

.PHONY: fmt
fmt: $(READY) ## format the code
	@$(VENV)/bin/ruff check --fix --quiet $(CODE) || true
	@$(VENV)/bin/ruff format $(CODE)

.PHONY: lint
lint: $(READY) ## ruff: rules and format
	@$(VENV)/bin/ruff check $(CODE)
	@$(VENV)/bin/ruff format --check --quiet $(CODE)

.PHONY: types
types: $(READY) ## mypy, strict
	@$(VENV)/bin/mypy

.PHONY: layers
layers: $(READY) ## import-linter: who may import whom
	@$(VENV)/bin/lint-imports --no-logo 2>/dev/null || $(VENV)/bin/lint-imports

.PHONY: generate
generate: $(READY) ## write what is generated: CRDs, chart copies, manifests
	@$(PYTHON) -m tests.support.generate

.PHONY: verify
verify: $(READY) ## lint, types, layers, and generated files are as committed
	@$(MAKE) --no-print-directory lint types layers
	@$(PYTHON) -m tests.support.generate --check

.PHONY: golden
golden: $(READY) ## rewrite the golden plans from the code
	@$(PYTHON) -m tests.support.golden

.PHONY: test
test: $(READY) ## every tier this machine can run
	@$(PYTHON) -m tests.support.tiers

.PHONY: test-long
test-long: $(READY) ## the long runs: fuzzing, many rounds, soak
	@$(PYTHON) -m tests.support.tiers --long

.PHONY: bench
bench: $(READY) ## the comparisons; NAME=… for one
	@$(PYTHON) -m tests.benchmarks $(NAME)
