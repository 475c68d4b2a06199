# Every target works on a machine that has Python 3.11, make and a network: `.venv` is made as needed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# Tests wait, too: four at once keep two cores busy.
WORKERS ?= 4

# A quick look at everything that a library may break: what draws, reads keys, parses and serves.
FLOORS := tests/unit/terminal tests/unit/cli/test_cli.py tests/unit/app tests/unit/house/test_imports.py \
	tests/unit/house/test_private_names.py tests/unit/house/test_style_sheets.py \
	$(addprefix tests/unit/widgets/test_, chart.py curve.py) \
	$(addprefix tests/unit/previews/test_previews_, data.py documents.py pictures.py tables.py) \
	$(addprefix tests/unit/store/test_, otlp_formats.py schema.py) \
	$(addprefix tests/pilot/test_, tabs.py overview.py attachments.py keys.py) \
	tests/terminal/test_screen.py tests/terminal/test_collect.py

.PHONY: demo test check format snapshots manual bench growth soak floors release clean

demo: $(READY)
	$(BIN)/flow-tui demo

# All of them: without -m those that are slow are left out.
test: $(READY)
	$(BIN)/pytest -n $(WORKERS) --dist worksteal -m ''

check: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/pytest -q tests/unit/house/test_imports.py

format: $(READY)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# Read snapshot_report.html and the pictures before you accept them.
snapshots: $(READY)
	$(BIN)/pytest tests/snapshot -n $(WORKERS) --snapshot-update
	$(BIN)/python -m tests.moving

manual: $(READY)
	$(BIN)/flow-tui help --man > docs/flow-tui.1

bench: $(READY)
	$(BIN)/python -m tests.bench

# At 1, 10 and 100 times a size; the stores are kept in the cache folder.
growth: $(READY)
	$(BIN)/python -m tests.bench --growth

# Ten minutes at most, with seeds that are never the same; each is printed, and can be had again.
soak: $(READY)
	$(BIN)/python -m tests.bench.soak

# The oldest of every library that pyproject.toml admits, and the newest.
floors: $(READY)
	for which in lowest-direct highest; do \
		there=.floors/$$which; \
		$(BIN)/uv venv --quiet --clear --python $(PYTHON) $$there \
		&& $(BIN)/uv pip install --quiet --python $$there/bin/python --resolution $$which \
			-e '.[all]' --group test \
		&& $$there/bin/pytest -q -n $(WORKERS) -m '' $(FLOORS) || exit 1; \
	done

# Builds it, and tries it by pip, pipx and uv, under every Python that is supported.
release: $(READY)
	$(BIN)/python -m tests.release

clean:
	rm -rf $(VENV) .sdk .floors .mypy_cache .pytest_cache .ruff_cache .hypothesis dist snapshot_report.html bench.json

# pip 25.1 is the first that reads dependency groups.
$(READY): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --editable '.[images,pdf,docx,parquet,arrays,excel,hdf5,yaml,zstd,receive]' --group dev
	touch $@
