# Grove's commands. `make` lists them; each target's sentence stands behind its ##.

VENV  := .venv
BIN   := $(VENV)/bin
# The newest stamp of a complete installation.
STAMP := $(VENV)/.installed
# The first Python of at least 3.11; `make PYTHON=/a/python …` names another.
PYTHON ?= $(shell for python in python3.11 python3 python3.12 python3.13 python3.14 python; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
# More words for pytest: `make test ARGS='-k tree'`.
ARGS  ?=

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help install run test check format schema lock bench web web-check clean

help: ## Lists these commands.
	@echo "Grove: make COMMAND"
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-10s %s\n", $$1, $$2 }' Makefile

install: $(STAMP) ## Makes the virtual environment .venv from the lock, unless it is up to date.

$(STAMP): requirements.lock pyproject.toml
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "Grove needs Python 3.11 or newer and found none. Install it, or say where it is: make PYTHON=/path/to/python $(MAKECMDGOALS)" >&2; \
	  exit 1; }
	@echo "Installing Grove and what it stands on into $(VENV); this takes about a minute."
	"$(PYTHON)" -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --no-deps --no-build-isolation -e .
	@touch $@

run: install ## Serves Grove with the demo company on SQLite, at http://127.0.0.1:8000/graphql.
	$(BIN)/grove serve --demo

test: install ## Runs every test on SQLite and on PostgreSQL, both at once; ARGS='-k tree' chooses some.
	@$(BIN)/python -m tests $(ARGS)

check: install ## Looks at format, lint, types, imports and the schema's snapshot, then runs the tests.
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports
	@$(BIN)/grove schema | diff -u schema.graphql - \
	  || { echo "schema.graphql is not what the service declares: make schema, and look at the difference." >&2; exit 1; }
	@$(MAKE) --no-print-directory test

format: install ## Formats the Python files and mends what the linter can mend.
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

schema: install ## Prints the GraphQL schema into schema.graphql.
	$(BIN)/grove schema > schema.graphql.new
	mv schema.graphql.new schema.graphql

# uv resolves for every platform and Python at once, which pip cannot; it is fetched into a folder that is removed
# again. Versions stay as they are locked, unless UPGRADE=--upgrade asks for newer ones.
lock: ## Resolves the versions in pyproject.toml into requirements.lock; UPGRADE=--upgrade renews them.
	"$(PYTHON)" -m venv build/lock
	build/lock/bin/python -m pip install --quiet --disable-pip-version-check uv==0.13.9
	build/lock/bin/uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes \
	  --no-config --custom-compile-command "make lock" --quiet $(UPGRADE) --output-file requirements.lock
	rm -rf build/lock

bench: install ## Measures Grove; ARGS=--help says what can be chosen.
	$(BIN)/python -m bench $(ARGS)

web: ## Builds the explorer into service/static (this, and only this, needs Node).
	cd web && npm ci && npm run build

web-check: ## Builds the explorer anew and compares it with the files in service/static (needs Node).
	sh web/check.sh

clean: ## Removes the virtual environment and all caches; databases stay.
	rm -rf $(VENV) build dist .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -not -path './web/*' -prune -exec rm -rf {} +
