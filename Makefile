# The verbs of this project. `make demo` and `make test` are all a newcomer needs:
# Python 3.11 or newer with its venv module, and pip's index. Options go in ARGS:
#
#     make demo ARGS=--script
#     make test ARGS='tests/core -x'

PYTHON ?= python3
ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
RUN := $(BIN)/python -m
# Written when what they stand for is installed; `make` installs again when a lock or pyproject.toml is newer.
RUNTIME := $(VENV)/.runtime-installed
DEV := $(VENV)/.dev-installed

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_ROOT_USER_ACTION := ignore
INSTALL := $(RUN) pip install --quiet --require-hashes

.PHONY: help demo test check stress bench fmt docs lock dev clean
.DEFAULT_GOAL := help

help:
	@echo 'make demo    see the whole service work on this machine; ARGS=--script does it without you'
	@echo 'make test    run the test suite; what cannot run here is skipped and named'
	@echo 'make check   style, types, layering, dependencies, spelling, changelog'
	@echo 'make stress  the long form of the reliability suites'
	@echo 'make bench   the performance goals, measured'
	@echo 'make fmt     format the code and repair what can be repaired'
	@echo 'make docs    write docs/reference again from the code'
	@echo 'make lock    resolve requirements/*.lock again (needs uv)'
	@echo 'make clean   remove everything that make made'

demo: $(RUNTIME)
	$(BIN)/workersai demo $(ARGS)

test: $(DEV)
	scripts/prepare-tests
	scripts/test $(ARGS)

stress: $(DEV)
	scripts/prepare-tests
	HYPOTHESIS_PROFILE=long $(RUN) pytest -m stress -rP $(ARGS)

bench: $(DEV)
	$(RUN) benchmarks $(ARGS)

check: $(DEV)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/deptry src
	$(BIN)/codespell
	$(BIN)/towncrier build --draft --version next

fmt: $(DEV)
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

docs: $(DEV)
	$(BIN)/python docs/generate.py

dev: $(DEV)

# The addresses of indexes never enter a lock; tests/project looks.
LOCK := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-header --no-annotate --no-emit-index-url --no-emit-find-links
lock:
	@command -v uv >/dev/null || { echo 'make lock needs uv: pip install uv' >&2; exit 1; }
	$(LOCK) pyproject.toml --group dev -o requirements/dev.lock $(ARGS)
	$(LOCK) pyproject.toml -c requirements/dev.lock -o requirements/runtime.lock
	$(LOCK) pyproject.toml --extra postgresql -c requirements/dev.lock -o requirements/postgresql.lock
	$(LOCK) --group build -c requirements/dev.lock -o requirements/build.lock

$(RUNTIME): requirements/runtime.lock requirements/build.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo 'WorkersAI needs Python 3.11 or newer, and $(PYTHON) is not.' \
			'Name one that is: make PYTHON=python3.13 …' >&2; exit 1; }
	@test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV) || { \
		echo 'No virtual environment could be made; on Debian: apt-get install python3-venv' >&2; exit 1; }
	$(INSTALL) -r requirements/runtime.lock
	$(INSTALL) -r requirements/build.lock
	$(RUN) pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(DEV): $(RUNTIME) requirements/dev.lock
	$(INSTALL) -r requirements/dev.lock
	@touch $@

clean:
	rm -rf $(VENV) .workersai-demo build dist htmlcov .coverage .coverage.* \
		.mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
