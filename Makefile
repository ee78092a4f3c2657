# Two commands on a machine that has python3 (with venv) and make:
#   make demo    the main job on the bundled pile
#   make test    lint, types, architecture, tests
#   make coverage    the tests again, with the share of the code that they run
PYTHON ?= python3
BIN := .venv/bin
DEMO := build/demo
SQLMESH := build/venvs/sqlmesh
DBT := build/venvs/dbt

# Two at a time: the environments are made, and types checked, beside what else there is to do.
MAKEFLAGS += --jobs=2
# The tests start Python hundreds of times: without compiled files it reads everything anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: test lint types architecture unit coverage demo clean
.DELETE_ON_ERROR:

test: lint types architecture unit

lint: .venv/.installed
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .

types: .venv/.installed
	$(BIN)/python -m mypy

architecture: .venv/.installed
	$(BIN)/lint-imports

unit: .venv/.installed $(SQLMESH)/.installed $(DBT)/.installed
	$(BIN)/python -m pytest --durations 25 --numprocesses logical --maxprocesses 4 --dist worksteal

# Twice as slow, and no gate.
coverage: .venv/.installed
	$(BIN)/python -m coverage run -m pytest
	$(BIN)/python -m coverage report

demo: .venv/.installed
	$(BIN)/python -m unwet demo --out $(DEMO) --force
	@printf '\nThe dbt project is in %s\n' "$(CURDIR)/$(DEMO)/project"

# Relative paths throughout: the folder may have spaces in its name.
.venv/.installed: pyproject.toml hatch_build.py
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "unwet needs Python 3.11 or newer; try: make PYTHON=python3.12")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --no-compile --disable-pip-version-check --editable '.[dev]'
	@touch $@

# SQLMesh wants another sqlglot than unwet: its tests run it in an environment of its own.
$(SQLMESH)/.installed:
	$(PYTHON) -m venv $(SQLMESH)
	$(SQLMESH)/bin/python -m pip install --quiet --no-compile --disable-pip-version-check 'sqlmesh[duckdb]==0.236.4'
	@touch $@

# dbt is pinned: without, one that fetches a program while it installs is chosen.
$(DBT)/.installed:
	$(PYTHON) -m venv $(DBT)
	$(DBT)/bin/python -m pip install --quiet --no-compile --disable-pip-version-check 'dbt-core==1.11.*' 'dbt-duckdb==1.11.*'
	@touch $@

clean:
	rm -rf .venv .dev build dist
