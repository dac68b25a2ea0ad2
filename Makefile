# The whole set-up is in here: each target makes its virtual environment and sees to an engine by itself.
# make test ARGS='-k link -x'   more arguments for pytest;   make PYTHON=python3.12 test   another interpreter

PYTHON ?= python3
ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
DEMO := --dockconn examples -p no:cacheprovider -v
TEST := --dockconn

export PYTHON
.DEFAULT_GOAL := help
.PHONY: help demo test lint bench liars chaos soak build check-package clean

help: ## say what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/.has-test ## run the examples for real: who reached whom, how, and how fast
	@tools/engine up
	$(BIN)/python -m pytest $(DEMO) $(ARGS)

test: $(VENV)/.has-test ## run all tests, on a real engine
	@tools/engine up
	$(BIN)/python tools/test $(ARGS)

lint: $(VENV)/.has-test $(VENV)/.has-lint ## ruff and mypy --strict
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

bench: $(VENV)/.has-test $(VENV)/.has-bench ## compare with the peers, side by side, and print a table
	@tools/engine up
	$(BIN)/python tools/bench $(ARGS)

liars: $(VENV)/.has-test $(VENV)/.has-bench ## who is fooled by what: the set-ups of tests/engine/liars.py, put to the peers too
	@tools/engine up
	$(BIN)/python tools/liars $(ARGS)

chaos: $(VENV)/.has-test ## end real runs in every way, and kill them at a hundred random moments: what is left?
	@tools/engine up
	DOCKCONN_CHAOS=1 $(BIN)/python -m pytest $(TEST) tests/chaos -s $(ARGS)

soak: $(VENV)/.has-test ## the engine suite in other orders, one core busy, until 30 rounds are on record; ARGS="--rounds 2" for 2 more
	@tools/engine up
	$(BIN)/python tools/soak $(ARGS)

build: $(VENV)/.has-test ## make the wheel and the sdist in dist/
	@said=$$($(BIN)/python -m pip install --disable-pip-version-check 'build>=1.2' 2>&1) || { echo "$$said"; exit 1; }
	$(BIN)/python -m build

# Outside of the checkout, so that nothing is found in it by chance: do the Dockerfiles and the agent come along?
check-package: ## build, install both in fresh environments elsewhere, and run the examples there
	@tools/engine up
	@set -eu; \
	away=$$(mktemp -d); trap 'rm -rf "$$away"' EXIT; \
	quietly() { "$$@" >"$$away/log" 2>&1 || { tail -n 40 "$$away/log"; exit 1; }; }; \
	pip() { in=$$1; shift; quietly "$$away/$$in/bin/python" -m pip install --disable-pip-version-check "$$@"; }; \
	echo "building"; \
	"$$PYTHON" -m venv "$$away/build"; \
	pip build 'build>=1.2'; \
	quietly "$$away/build/bin/python" -m build --outdir "$$away/dist" .; \
	cp -R examples "$$away/examples"; \
	cd "$$away"; \
	for kind in whl tar.gz; do \
		echo "installing the .$$kind, running it in $$away"; \
		"$$PYTHON" -m venv "$$kind"; \
		pip "$$kind" dist/*."$$kind"; \
		"$$kind/bin/pytest" --help | grep -e --dockconn >/dev/null; \
		"$$kind/bin/dockconn" --help >/dev/null; \
		"$$kind/bin/pytest" --rootdir examples --import-mode=importlib -p no:cacheprovider --dockconn -q examples; \
	done

clean: ## remove what the targets above made in this checkout
	rm -rf $(VENV) .tox dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find src tests examples tools -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.has-%: pyproject.toml tools/setup-venv
	@tools/setup-venv $*
