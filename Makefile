# `make help` lists what there is. Needs Python 3.11 or newer and nothing else.

SHELL := /bin/bash
# The Redis that comes with the environment is built for Python 3.11 and 3.12, so one of those is taken where
# there is a choice. Asked by running it: a name on PATH may be a shim with nothing behind it.
PYTHON ?= $(shell for python in python3 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info[:2] not in ((3, 11), (3, 12)))' 2>/dev/null && echo $$python && exit; \
	done; command -v python3)
VENV := .venv
RUN := $(VENV)/bin/python
UV := $(VENV)/bin/uv

# Some hundred processes are started here. Each would compile Django and all else anew, which takes longer than
# starting, where the environment forbids Python to keep what it compiled.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help run test static environment assets lint format types contracts unit integration browser compose-check \
	chromium frontend messages bench clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(VENV)/.synced ## Start everything: http://127.0.0.1:8000 (PORT, SMM_VAR_DIR, DEMO=0 are honoured)
	@exec $(RUN) -m smmapp.run

# What reads the source is one process at a time, which would leave the other processors idle.
test: environment chromium assets ## Run every check; the exit code tells
	@$(MAKE) --no-print-directory --jobs=2 static unit
	@$(MAKE) --no-print-directory --assume-old=assets integration browser
	@echo "All checks passed."

# The words of each in one piece, for tests tell how far they are at the same time.
static:
	@$(MAKE) --no-print-directory --output-sync=target lint types contracts compose-check

environment: $(VENV)/.synced

# Three reasons for failing are common enough to be told apart; the tool's own words stand above.
$(VENV)/.synced: pyproject.toml uv.lock
	@test -n "$(PYTHON)" || { echo "Python is not installed: version 3.11 or newer is needed."; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "$$("$(PYTHON)" --version) is too old: version 3.11 or newer is needed (make PYTHON=/path/to/python3.11)."; exit 1; }
	@touch .writable 2>/dev/null && rm .writable || { echo "Cannot write to $(CURDIR): change its permissions, or work in a copy."; exit 1; }
	@test -x $(RUN) || "$(PYTHON)" -m venv $(VENV) || { rm -rf $(VENV); \
		echo "Python could not make the environment .venv (on Debian and Ubuntu: apt install python3-venv)."; exit 1; }
	@test -x $(UV) || $(RUN) -m pip install --quiet --disable-pip-version-check uv || { \
		echo "Installing failed: the first start needs the network to fetch packages. Check the connection and try again."; exit 1; }
	@$(UV) sync --frozen --quiet || { \
		echo "Installing failed: packages of uv.lock could not be fetched. Check the connection and try again."; exit 1; }
	@touch $@

assets: environment
	@$(RUN) -m smmapp.frontend
	@$(RUN) -m core.messages compile

lint: environment ## Style: ruff, as a check
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .

format: environment ## Put the code into its one form
	$(VENV)/bin/ruff format .
	$(VENV)/bin/ruff check --fix .

types: environment ## Types: mypy
	$(VENV)/bin/mypy .

contracts: environment ## Layers: which package may import which
	$(VENV)/bin/lint-imports --cache-dir .import_linter_cache

unit: environment ## Tests that need nothing but PostgreSQL and Redis
	$(RUN) -m pytest -n 2 -m "not integration and not browser"

integration: assets ## Tests with servers of their own: sandbox, a real Bluesky network, workers
	$(RUN) -m pytest -n 2 --dist loadgroup -m "integration and not browser"

browser: assets ## Tests in Chromium
	$(RUN) -m pytest -n 2 --dist worksteal -m browser

# Only where it needs nobody's password and changes nothing that a person set up.
chromium:
	@if command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ] && \
		! command -v chromium chromium-browser google-chrome google-chrome-stable >/dev/null && \
		! ls -d $${PLAYWRIGHT_BROWSERS_PATH:-$$HOME/.cache/ms-playwright}/chromium* >/dev/null 2>&1; then \
		echo "Installing Chromium for the browser tests."; \
		{ apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends \
			chromium fonts-noto-cjk >/dev/null; } || echo "Chromium could not be installed; the browser tests will say so."; \
	fi

compose-check: environment
	@if docker compose version >/dev/null 2>&1; then \
		docker compose --env-file .env.example config --quiet && echo "docker-compose.yml is valid."; \
	else \
		echo "!!! docker compose is not installed: docker-compose.yml is checked by tests/smmapp/test_containers.py only."; \
	fi

frontend: assets ## Bundle styles and scripts into static/dist

messages: environment ## Bring the catalogues of translations in line with the source, and compile them
	$(RUN) -m core.messages update
	$(RUN) -m core.messages compile

bench: assets ## Measure publishing against a bare loop
	$(RUN) -m benchmarks publish --json

clean: ## Remove what was built; data in var/ stays
	rm -rf $(VENV) static/dist frontend/node_modules .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -not -path './var/*' -prune -exec rm -rf {} +
