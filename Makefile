# Every target makes the environment it needs: python3, make and a package index are enough.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
FOLDERS := ragkit connectors indexes eval tests

.PHONY: help setup demo test check lint types floors docs pages bench scale oracle bm25 quality chunking simulate accuracy engines answers citations figures abstention asks grounding multihop routing planning followups kill planted data constraints clean
help: ## show this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 12

setup: $(READY) ## make .venv with everything, pinned by constraints.txt

$(READY): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[office,otel,redis,dev]'
	touch $(READY)

DEMO := build/demo
COMPARED := Compare our Q3 revenue growth with engineering headcount changes and marketing spend. Are we scaling efficiently?
demo: $(READY) ## index a demo company in three domains, ask about it, and compare strategies on its questions
	rm -rf $(DEMO) && mkdir -p build
	$(BIN)/ragkit init $(DEMO)
	for domain in finance engineering marketing; do \
	  $(BIN)/ragkit ingest data/demo/$$domain --domain $$domain -w $(DEMO) || exit; done
	$(BIN)/ragkit domains -w $(DEMO)
	$(BIN)/ragkit ask --plan "$(COMPARED)" -w $(DEMO)
	$(BIN)/ragkit ask "$(COMPARED)" -w $(DEMO)
	$(BIN)/ragkit trace last -w $(DEMO)
	$(BIN)/ragkit ask "How many customers were affected by the late alerts of 18 September 2025?" -w $(DEMO)
	$(BIN)/ragkit ask "How do I bake sourdough bread?" -w $(DEMO)
	$(BIN)/ragkit eval run data/questions.jsonl --source data/demo --strategies bm25,vector,hybrid \
	  --metrics "range_recall@3,MRR@10" -w $(DEMO) --html $(DEMO)/report.html
	@echo
	@echo "The report with every question: $(DEMO)/report.html"
	@echo "Try next:"
	@echo "  $(BIN)/ragkit chat -w $(DEMO)"
	@echo "  $(BIN)/ragkit route 'Who is on call tonight?' -w $(DEMO)"
	@echo "  $(BIN)/ragkit ingest YOUR-FOLDER --domain NAME -w my-workspace"

test: $(READY) ## run the tests, in two halves side by side
	@$(MAKE) --no-print-directory -j2 --output-sync=target upper lower

# Two targets, not a shell's "&": what a script sends to the background ignores Ctrl-C, and tests press it.
.PHONY: upper lower
upper: $(READY)
	@$(BIN)/python -m pytest -q -p no:cacheprovider tests/ragkit tests/connectors
lower: $(READY)
	@$(BIN)/python -m pytest -q tests/eval tests/house tests/indexes

check: lint types floors pages ## formatting, lint, types, floors, and the pages with their links

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

# The theme would advertise another program on stderr. A warning of Python's, of MkDocs or of a plugin ends the build;
# with --quiet it would not, for then MkDocs does not count them.
PAGES := NO_MKDOCS_2_WARNING=1 $(BIN)/python -W error -m mkdocs build --strict

docs: .types ## build the pages: build/docs/index.html
	$(PAGES)

pages: .types ## see that the pages can be built, and that no link on them leads nowhere
	@site=$$(mktemp -d) && trap 'rm -rf "$$site"' EXIT && $(PAGES) --site-dir "$$site"

bench: $(READY) ## measure import, scan and reading; prints ratios
	$(BIN)/python -m tests.bench

scale: $(READY) ## filters over 100,000 chunks, syncs of 10,000 files, nothing cut off; about ten minutes
	$(BIN)/python -m tests.scale

oracle: $(READY) ## 2,000 random changes of a folder, compared with a fresh ingest; about two minutes
	rm -rf build/oracle && mkdir -p build/oracle
	$(BIN)/python -m tests.indexes.test_oracle 2000 11 build/oracle

quality: $(READY) ## nDCG@10 of the strategies on the shared sets
	rm -rf build/quality && mkdir -p build
	$(BIN)/python -m tests.quality build/quality

chunking: $(READY) ## recall, precision and IoU of the chunkers on chroma-chunking
	mkdir -p build
	$(BIN)/python -m tests.chunking build/chunking

simulate: $(READY) ## how often the statistics fire without a difference, and how often an interval holds the truth
	$(BIN)/python -m tests.simulate 2000

multihop: $(READY) ## questions that need several documents: hybrid, second queries, links; and what links cost elsewhere
	mkdir -p build
	$(BIN)/python -m tests.multihop

grounding: $(READY) ## how well claims are told to be supported, by human labels; with TRAIN=--train the weights are learnt anew
	$(BIN)/python -m tests.grounding build/grounding $(TRAIN)

routing: $(READY) ## where questions go: each selector and the cascade on the shared sets
	mkdir -p build/routing
	$(BIN)/python -m tests.routing build/routing

planning: $(READY) ## how questions are divided by rules, on the shared sets
	$(BIN)/python -m tests.planning

figures: $(READY) ## what the default engine makes of the demo's questions: the table of the README
	rm -rf build/figures
	$(BIN)/python -m tests.figures build/figures

followups: $(READY) ## how well follow-ups find their document when rules put them, on the shared set
	mkdir -p build
	$(BIN)/python -m tests.followups build/followups

abstention: $(READY) ## what is declined that documents do not answer, as risk and coverage; ten minutes to index
	mkdir -p build/abstention
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.abstention build/abstention

asks: $(READY) ## 1,000 asks of models over the wire, a fifth of the calls faulty, and a dead provider
	$(BIN)/python -m tests.asks

answers: $(READY) ## answers without a model: F1, containment and citations beside the first sentence and the whole passage
	mkdir -p build
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.answers build/answers

citations: $(READY) ## look every citation up in its document: 3,300 questions of the shared sets; ten minutes
	mkdir -p build
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.citations build/citations

bm25: $(READY) ## our BM25 beside tantivy's: speed, and what deletions do to scores
	$(BIN)/python -m tests.bm25

accuracy: $(READY) ## words missing and invented on the shared files, as a table
	$(BIN)/python tests/accuracy.py

engines: $(READY) ## the engines that PDF and HTML could be read with, side by side
	$(BIN)/python tests/engines.py

kill: $(READY) ## kill a sync at 200 moments, let its disk fail at 100, and see that nothing is lost (minutes)
	$(BIN)/python -m tests.kill

planted: $(READY) ## see that check fails for a type error in each folder and for an import that looks up
	$(BIN)/python tests/planted.py

data: $(READY) ## make the documents of the demo company anew from their sources
	$(BIN)/python data/build.py

constraints: ## pin anew every version that is installed
	$(BIN)/python -m pip freeze --exclude-editable | grep -v ' @ ' | sed 's/+cpu$$//' > constraints.txt

clean: ## remove everything that make made
	rm -rf $(VENV) .types build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
