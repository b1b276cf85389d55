# Each target sets up what it needs in .venv; PYTHON picks the interpreter (3.11 to 3.13).
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
ARGS   ?=

.PHONY: compare test bench bench-store lint types check release-check clean

# As many requests as fit in the minutes; ARGS replaces all of it. docs/comparison.md has the rest.
COMPARE ?= --apps factool,wikichat,storm,tot --minutes 8 \
  --arms langgraph-flat,langgraph-subgraph,alto-flat,alto-streaming,asyncio
compare: $(STAMP)  ## Run four applications through five arms on the simulated server and print the table.
	$(BIN)/alto-lg compare $(or $(ARGS),$(COMPARE))

test: $(STAMP)  ## Run the whole suite.
	$(BIN)/python -m pytest -n auto --dist worksteal $(ARGS)

bench: $(STAMP)  ## Compare what the engine costs, as ratios to LangGraph, with the stored ratios; see docs/benchmarks.md.
	cd tests && ../$(BIN)/python -m bench $(ARGS)

bench-store: $(STAMP)  ## Measure the ratios for longer, and store them.
	cd tests && ../$(BIN)/python -m bench --store $(ARGS)

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

# The long runs, one after the other (hours on two cores). docs/release-check.md says when they last ran, and what they found.
GRAPHS ?= 100000
release-check: check  ## Random graphs, planted bugs, crash points, kills, lives and relations, whole.
	$(BIN)/pip install --quiet --editable ".[release]"
	cd tests && ../$(BIN)/python -m random_graphs --graphs $(GRAPHS) --processes 2
	$(BIN)/python -m pytest -n auto --release --timeout 7200 tests/random_graphs tests/crashes tests/stateful tests/metamorphic tests/placement
	cd tests && for mode in sync async exit; do \
	  ../$(BIN)/python -m crashes.kill --saver sqlite --mode $$mode --kills 200 || exit 1; \
	  ../$(BIN)/python -m crashes.kill --saver postgres --mode $$mode --kills 50 || exit 1; \
	done

$(STAMP): pyproject.toml setup.py alto_lg.pth
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip "setuptools>=77" wheel
	$(BIN)/python -m pip install --quiet --editable ".[dev]"
	touch $@

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .benchmarks
	test ! -d results || find results -mindepth 1 -maxdepth 1 -not -name published -exec rm -rf {} +
