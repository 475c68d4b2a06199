# Every target works on a machine that has Python 3.11, make and a network: `.venv` is made as needed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# Tests wait more than they compute: three at once are what two cores can do.
WORKERS ?= 3

.PHONY: demo test check format snapshots bench clean

demo: $(READY)
	$(BIN)/flow-tui demo

test: $(READY)
	$(BIN)/pytest -n $(WORKERS)

check: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/pytest -q tests/unit/test_imports.py

format: $(READY)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# Read snapshot_report.html and the pictures before you accept them.
snapshots: $(READY)
	$(BIN)/pytest tests/snapshot -n $(WORKERS) --snapshot-update

bench: $(READY)
	$(BIN)/python -m tests.bench

clean:
	rm -rf $(VENV) .sdk .mypy_cache .pytest_cache .ruff_cache .hypothesis dist snapshot_report.html bench.json

# pip 25.1 is the first that reads dependency groups.
$(READY): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --editable . --group dev
	touch $@
