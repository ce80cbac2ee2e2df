# Every target makes what it needs first; `make demo` is the shortest way to see StructMem work.
# The virtual environment stands in .venv, with the versions of .constraints.txt. PYTHON may name the interpreter to make it with.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules

NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do "$$p" -c '$(NEW_ENOUGH)' 2>/dev/null && echo "$$p" && break; done)

VENV := .venv
BIN := $(VENV)/bin
PIP := PIP_DISABLE_PIP_VERSION_CHECK=1 $(BIN)/python -m pip install --quiet --constraint .constraints.txt
DEPENDENCIES := pyproject.toml clients/python/pyproject.toml .constraints.txt
PACKAGES := service graph extract bench clients/python tests/neo4j_server
CONTRACT := proto/structmem.v1.binpb

.PHONY: help setup demo test check format proto proto-release serve neo4j bench lock clean

help: ## shows this list
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 16

setup: $(VENV)/.installed $(VENV)/.installed-test $(VENV)/.installed-check ## makes .venv with all that running, testing and checking need

demo: $(VENV)/.installed ## a real server, a real conversation, questions and answers
	$(BIN)/structmem demo

serve: $(VENV)/.installed ## the server, on 127.0.0.1:7600
	$(BIN)/structmem serve

test: $(VENV)/.installed-test ## every test
	$(BIN)/python -m pytest -q -n auto --dist loadgroup

neo4j: $(VENV)/.installed-test ## a Neo4j for development, on 127.0.0.1:7687, with its data in .neo4j
	@$(BIN)/python -m tests.neo4j_server

bench: $(VENV)/.installed-test ## lists the benchmarks; see docs/benchmarks.md
	$(BIN)/python -m bench --help

check: $(VENV)/.installed-test $(VENV)/.installed-check ## format, lint, types, contract, generated code, imports
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy $(PACKAGES)
	$(BIN)/lint-imports
	cd proto && ../$(BIN)/buf lint
	cd proto && ../$(BIN)/buf breaking --against $(notdir $(CONTRACT))
	.ci/generate --check
	$(BIN)/python clients/python/make_sync_client.py --check
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml
	$(BIN)/python .ci/check_compose.py

format: $(VENV)/.installed-check ## formats the code and mends what the linter can mend
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

proto: $(VENV)/.installed-check ## generates clients/python/src/structmem/v1 from proto/
	.ci/generate
	$(BIN)/python clients/python/make_sync_client.py

proto-release: $(VENV)/.installed-check ## makes today's contract the one that later ones must not break
	cd proto && ../$(BIN)/buf build -o $(notdir $(CONTRACT))

lock: $(VENV)/.installed ## resolves every dependency anew and writes .constraints.txt
	.ci/lock

clean: ## removes .venv and what tools left behind
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build *.egg-info clients/python/build clients/python/src/*.egg-info

$(VENV)/bin/python:
	@[ -n "$(PYTHON)" ] && "$(PYTHON)" -c '$(NEW_ENOUGH)' 2>/dev/null || \
		{ echo "StructMem needs Python 3.11 or newer, and '$(or $(PYTHON),python3)' is not. Name one: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@echo "Making $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "'$(PYTHON) -m venv' failed: is this Python's venv module installed?" >&2; exit 1; }

$(VENV)/.installed: $(DEPENDENCIES) | $(VENV)/bin/python
	@echo "Installing StructMem and what it needs; the first time this takes a minute or two"
	@$(PIP) pip # the one that comes with Python 3.11 knows no dependency groups
	@PYTHONWARNINGS=ignore $(PIP) --editable clients/python --editable .
	@touch $@

$(VENV)/.installed-%: $(VENV)/.installed
	@echo "Installing what '$*' needs; the first time this takes a minute or two"
	@$(PIP) --group $*
	@touch $@
