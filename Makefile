# From a clean checkout, with Python 3.11 or later and nothing else:
#   make run     play on http://127.0.0.1:8000      (make run ARGS="--port 9000")
#   make test    everything that must hold          (make test PYTEST_ARGS="-k duplicate")
#   make cluster  three instances with PostgreSQL, Redis and a worker  (make cluster ARGS="--port 9000")
#   make lint    formatting, rules and types        make format   put them right
#   make audit   known vulnerabilities of what is locked        make sbom   all of it, as CycloneDX JSON
#   make lock    renew the lock files after editing pyproject.toml (UPGRADE=1: newest versions)
#   make clean   remove what was installed or built; a server's data stays

ARGS ?=
PYTEST_ARGS ?=
# Processes that share the tests, a file at a time. Players who are promised a reply within so many
# seconds are not to wait for other such players: what is timed comes after that, alone.
TESTERS ?= 2
SHARED := -n $(TESTERS) --dist loadfile --no-loadscope-reorder
TIMED := tests/cluster tests/faults \
  $(addprefix tests/serve/test_,replaced_workers.py slow_clients.py threads.py)
UPGRADE ?=
SERVICES ?= chromium redis-server postgresql pgbouncer nginx poppler-utils
UV_VERSION := 0.13.9
TYPESCRIPT_VERSION := 7.0.2

VENV := .venv
BIN := $(VENV)/bin
NODE := $(VENV)/node
TSC := $(NODE)/node_modules/.bin/tsc
PIP := $(BIN)/python -m pip --disable-pip-version-check -qq

# An installation is good for these lock files in this folder: a stamp says which.
RUN_KEY := $(shell { pwd; cat requirements.lock pyproject.toml; } | cksum | cut -d' ' -f1)
DEV_KEY := $(shell { pwd; cat requirements-dev.lock pyproject.toml; } | cksum | cut -d' ' -f1)
RUN := $(VENV)/.run-$(RUN_KEY)
DEV := $(VENV)/.dev-$(DEV_KEY)

.PHONY: run test cluster lint format audit sbom lock clean venv services

run: $(RUN)
	@exec $(BIN)/amazonia serve $(ARGS)

# Every step runs, whatever the one before it found; the summary names those that failed.
CHECKS = failed=; \
	step() { name=$$1; shift; echo "── $$name"; "$$@" || failed="$$failed, $$name"; }; \
	javascript() { \
	  if ! command -v npm >/dev/null; then echo "skipped: Node.js is not installed"; return; fi; \
	  if [ -z "$$(find src/amazonia/web/static/js -name '*.js' 2>/dev/null | head -n 1)" ]; then \
	    echo "skipped: there is no browser module yet"; return; fi; \
	  $(MAKE) -s $(TSC).$(TYPESCRIPT_VERSION) && $(TSC) --noEmit -p tsconfig.json; }; \
	step "ruff check" $(BIN)/ruff check --quiet .; \
	step "ruff format" $(BIN)/ruff format --check --quiet .; \
	step "mypy" $(BIN)/mypy; \
	step "tsc" javascript;
PYTEST = $(BIN)/python -m pytest -q --timeout 300 --durations 15
ifeq ($(PYTEST_ARGS),)
TESTS = step "pytest" $(PYTEST) $(SHARED) $(TIMED:%=--ignore=%); \
	step "pytest, what is timed" $(PYTEST) $(TIMED);
else
TESTS = step "pytest" $(PYTEST) $(PYTEST_ARGS);
endif
SUMMARY = if [ -n "$$failed" ]; then echo "── failed: $${failed\#, }"; exit 1; fi; echo "── all is well"

test: $(DEV) services
	@$(CHECKS) $(TESTS) step "audit" $(BIN)/python scripts/audit.py; $(SUMMARY)

cluster: $(DEV)
	@scripts/ensure-services redis-server postgresql nginx
	@exec $(BIN)/python -m amazonia.loadtest.cluster $(ARGS)

lint: $(DEV)
	@$(CHECKS) $(SUMMARY)

format: $(DEV)
	@$(BIN)/ruff check --quiet --fix . ; $(BIN)/ruff format .

audit: $(DEV)
	@$(BIN)/python scripts/audit.py

sbom: $(DEV)
	@$(BIN)/python scripts/sbom.py

services:
	@scripts/ensure-services $(SERVICES)

# A working .venv of Python 3.11 or later is kept; any other is made anew.
venv:
	@new='import sys; sys.exit(sys.version_info < (3, 11))'; \
	if $(BIN)/python -c "$$new" 2>/dev/null && $(BIN)/python -c 'import pip' 2>/dev/null; then exit 0; fi; \
	for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	  if $$python -c "$$new" 2>/dev/null; then \
	    $$python -m venv --clear $(VENV) && exit 0; \
	    rm -rf $(VENV); \
	    echo "$$python cannot make a virtual environment (on Debian and Ubuntu: apt install python3-venv)" >&2; \
	  fi; \
	done; \
	echo "Amazonia needs Python 3.11 or later, with venv. Found: $$(python3 --version 2>/dev/null || echo no python3)" >&2; \
	exit 1

$(RUN):
	@$(MAKE) -s venv
	@echo "Installing Amazonia into $(VENV) (once) …"
	@$(PIP) install --require-hashes -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation -e .
	@rm -f $(VENV)/.run-* && touch $@

$(DEV):
	@$(MAKE) -s venv
	@echo "Installing Amazonia and its tests' tools into $(VENV) (once) …"
	@$(PIP) install --require-hashes -r requirements-dev.lock
	@$(PIP) install --no-deps --no-build-isolation -e .
	@rm -f $(VENV)/.dev-* $(VENV)/.run-* && touch $@ $(RUN)

$(TSC).$(TYPESCRIPT_VERSION):
	@npm install --silent --no-audit --no-fund --no-package-lock --prefix $(NODE) typescript@$(TYPESCRIPT_VERSION)
	@touch $@

# Names, versions and hashes; never the address of an index.
LOCK = UV_CUSTOM_COMPILE_COMMAND="make lock" "$$tools/bin/uv" pip compile --quiet \
	--universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
	$(if $(UPGRADE),--upgrade) pyproject.toml --group build

lock: venv
	@set -e; tools=$$(mktemp -d); trap 'rm -rf "$$tools"' EXIT; \
	$(BIN)/python -m venv "$$tools"; "$$tools/bin/pip" --disable-pip-version-check -qq install uv==$(UV_VERSION); \
	$(LOCK) -o requirements.lock; \
	$(LOCK) --extra scale -c requirements.lock -o requirements-scale.lock; \
	$(LOCK) --extra scale --group dev -c requirements-scale.lock -o requirements-dev.lock; \
	if grep -vE '^ +--hash=' requirements*.lock | grep -E '://|:-'; then \
	  echo "A lock file holds an address." >&2; exit 1; fi

clean:
	rm -rf $(VENV) build dist .hypothesis .mypy_cache .pytest_cache .ruff_cache test-results
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
