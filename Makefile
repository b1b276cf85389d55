# Each target sets up what it needs in .venv; PYTHON picks the interpreter (3.11 to 3.13).
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
ARGS   ?=

.PHONY: compare test lint types check clean

compare: $(STAMP)  ## Run FacTool through every arm on the simulated server and print the table.
	$(BIN)/alto-lg compare $(ARGS)

test: $(STAMP)  ## Run the whole suite.
	$(BIN)/python -m pytest -n auto $(ARGS)

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

# The type checker sees the package as it is installed, because adapters/, apps/ and comparisons/
# live beside alto_lg/ and only become its sub-packages on installation.
types: $(STAMP)
	rm -rf build/types
	$(BIN)/pip install --quiet --no-deps --no-build-isolation --target build/types .
	MYPYPATH=build/types $(BIN)/mypy -p alto_lg

check: lint types test  ## What CI runs.

$(STAMP): pyproject.toml setup.py alto_lg.pth
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip "setuptools>=77" wheel
	$(BIN)/python -m pip install --quiet --editable ".[dev]"
	touch $@

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .benchmarks results
