# make demo · make demo-aws · make test · make ui · make check · make lock
# Needs Python 3.11 to 3.13 and make; everything else is installed into .venv.

PYTHON ?= $(shell for v in python3 python3.13 python3.12 python3.11; do \
	$$v -c 'import sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
	>/dev/null 2>&1 && { echo $$v; break; }; done)
BIN := .venv/bin
READY := .venv/.ready
STATE ?= $(CURDIR)/.home

export AIRFLOW_HOME ?= $(STATE)/airflow
export SLUICE_HOME ?= $(STATE)/sluice

.DEFAULT_GOAL := help
.PHONY: help install demo demo-aws env test ui check format lock clean

help:
	@echo "make demo    install, then run the main job over samples/handbook in Airflow"
	@echo "make demo-aws  the same on a local AWS: S3, Bedrock, OpenSearch, a knowledge base"
	@echo "make test    install, then run the tests"
	@echo "make ui      start Airflow with the demo's DAG; prints the address and the login"
	@echo "make check   formatter, linter, types, import rules, docker-compose.yml"
	@echo "make bench   measure words a second, end to end"
	@echo "make env     write .env with new secrets for docker compose"

install: $(READY)

$(READY): requirements.lock pyproject.toml packaging/bootstrap.lock packaging/en_core_web_sm/pyproject.toml
	@test -n "$(PYTHON)" || { echo "Sluice needs Python 3.11, 3.12 or 3.13 with the venv module; set PYTHON=/path/to/python." >&2; exit 2; }
	@echo "Installing into .venv with $$($(PYTHON) --version); the first time takes a few minutes."
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r packaging/bootstrap.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --compile-bytecode --no-deps --require-hashes -r requirements.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation ./packaging/en_core_web_sm --editable .
	@$(BIN)/python -m compileall -q rag connectors dags localaws samples
	@touch $(READY)

demo: $(READY)
	@$(BIN)/python -m samples.demo

demo-aws: $(READY)
	@$(BIN)/python -m samples.demo_aws

# Needs nothing installed: it is what docker compose is given before anything is built.
env:
	@test ! -e .env || { echo ".env is there; remove it to get new secrets." >&2; exit 2; }
	@test -n "$(PYTHON)" || { echo "This needs Python 3.11 or later; set PYTHON=/path/to/python." >&2; exit 2; }
	@umask 077 && $(PYTHON) packaging/new_env.py > .env
	@echo "Wrote .env; next: docker compose up --build"

test: $(READY)
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

ui: $(READY)
	@$(BIN)/python -m samples.ui

bench: $(READY)
	$(BIN)/python -m bench.sync

check: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python packaging/check_compose.py

format: $(READY)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# Universal: one lock for all supported Python versions and platforms, with hashes, naming no host.
lock:
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --custom-compile-command "make lock" \
		--override packaging/overrides.txt --group dev --extra celery --extra localaws pyproject.toml --output-file requirements.lock
	echo "uv" | $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --custom-compile-command "make lock" \
		--no-header - --output-file packaging/bootstrap.lock

clean:
	rm -rf .venv .home
