# Gantry. Two commands matter: `make up` sets everything up and runs it, `make test` sets everything up and tests it.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
  command -v $$p >/dev/null && $$p -c 'import sys; sys.exit(not (3,11) <= sys.version_info[:2] < (3,14))' 2>/dev/null && { echo $$p; break; }; done)
UV_VERSION := 0.13.8
VENV := .venv
READY := $(VENV)/.ready
ARGS ?=
# Compiled machine code of the engine is kept here, so that a second start compiles nothing.
export NUMBA_CACHE_DIR ?= $(CURDIR)/.gantry/cache/numba
# A colour codes table may be piped; Python's own bytecode is kept even if the shell disables it.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup up demo test test-real chaos check fix bench docs lock clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 20

$(READY): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Gantry needs Python 3.11, 3.12 or 3.13. Fix: install one, or run make PYTHON=/path/to/python3."; exit 1; }
	@echo "Setting up $(VENV) with $$($(PYTHON) --version)"
	@test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV) || { \
	  rm -rf $(VENV); echo "Python's venv module is missing. Fix: apt-get install python3-venv (Debian, Ubuntu)."; exit 1; }
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@VIRTUAL_ENV=$(CURDIR)/$(VENV) $(VENV)/bin/uv pip sync --require-hashes requirements.lock 2>&1 | grep -v '^ [+-]'
	@VIRTUAL_ENV=$(CURDIR)/$(VENV) $(VENV)/bin/uv pip install --quiet --no-deps --no-build-isolation --editable .
	@$(VENV)/bin/python -m compileall -q -j 0 $(VENV)/lib core trading fleet integrations sql services shapes assets orchestration api cli >/dev/null || true
	@touch $@

setup: $(READY) ## set up .venv from requirements.lock, nothing else

up: $(READY) ## set everything up, start it, print the URLs (ARGS="--detach" returns when ready)
	@$(VENV)/bin/gantry up $(ARGS)

demo: $(READY) ## headless: bars in, graded bots out (ARGS="--bars FILE --symbol 6E" for your own bars)
	@$(VENV)/bin/gantry demo $(ARGS)

test: $(READY) ## set everything up and pass the tests
	@$(VENV)/bin/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m "not real" $(ARGS)

test-real: $(READY) ## tests on real bars, in the folder GANTRY_TEST_DATA
	@test -n "$${GANTRY_TEST_DATA:-}" || { echo "Set GANTRY_TEST_DATA to the folder of real bars."; exit 2; }
	@$(VENV)/bin/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m real $(ARGS)

chaos: $(READY) ## the kill loops in full: 20 rounds of each fault on a whole Gantry, an hour or so (ROUNDS=5 for fewer)
	@GANTRY_CHAOS_ROUNDS=$(or $(ROUNDS),20) $(VENV)/bin/python -m pytest -s tests/chaos $(ARGS)

check: $(READY) ## lint, types, import rules, dependencies
	@$(VENV)/bin/ruff format --check . && $(VENV)/bin/ruff check .
	@$(VENV)/bin/lint-imports --no-logo
	@$(VENV)/bin/deptry .
	@$(VENV)/bin/mypy .

fix: $(READY) ## format, and fix what the linter can
	@$(VENV)/bin/ruff format . && $(VENV)/bin/ruff check --fix .

bench: $(READY) ## benchmarks: a table, and JSON under .gantry/bench/
	@$(VENV)/bin/python -m bench $(ARGS)

docs: $(READY) ## regenerate the generated pages
	@$(VENV)/bin/python -m docs.generate

lock: $(READY) ## regenerate requirements.lock from pyproject.toml
	@$(VENV)/bin/uv pip compile --universal --generate-hashes --no-strip-extras --quiet --all-extras --no-header pyproject.toml -o requirements.lock

clean: ## remove what was built; data under .gantry stays
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis
