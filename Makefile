# Every target makes the environment it needs: python3, make and a package index are enough.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
FOLDERS := ragkit connectors indexes eval tests

.PHONY: help setup demo test check lint types floors bench accuracy engines planted data constraints clean
help: ## show this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 12

setup: $(READY) ## make .venv with everything, pinned by constraints.txt

$(READY): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[office,dev]'
	touch $(READY)

demo: $(READY) ## read the demo workspace and show what was read
	$(BIN)/ragkit read data/demo

test: $(READY) ## run the tests
	$(BIN)/python -m pytest -q

check: lint types floors ## formatting, lint, types and floors

lint: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

# Type checkers cannot follow the import hooks of an editable install: this tree of links is what they see.
TREE := .types/ragkit
.types: $(READY)
	rm -rf .types && mkdir -p $(TREE)
	cd $(TREE) && ln -s ../../ragkit/*.py ../../ragkit/py.typed . && ln -s ../../connectors ../../indexes ../../eval .

.PHONY: .types
types: .types ## mypy --strict over all four folders and the tests
	MYPYPATH=.types $(BIN)/mypy --explicit-package-bases -p ragkit
	MYPYPATH=.types $(BIN)/mypy tests

floors: .types ## no folder imports what is above it
	cd .types && PYTHONPATH=. ../$(BIN)/lint-imports --config ../pyproject.toml

bench: $(READY) ## measure import, scan and reading; prints ratios
	$(BIN)/python tests/bench.py

accuracy: $(READY) ## words missing and invented on the shared files, as a table
	$(BIN)/python tests/accuracy.py

engines: $(READY) ## the engines that PDF and HTML could be read with, side by side
	$(BIN)/python tests/engines.py

planted: $(READY) ## see that check fails for a type error in each folder and for an import that looks up
	$(BIN)/python tests/planted.py

data: $(READY) ## make the binary files of the demo workspace anew
	$(BIN)/python data/build.py

constraints: ## pin anew every version that is installed
	$(BIN)/python -m pip freeze --exclude-editable | grep -v ' @ ' | sed 's/+cpu$$//' > constraints.txt

clean: ## remove everything that make made
	rm -rf $(VENV) .types build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
