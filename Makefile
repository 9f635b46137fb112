# Two commands do everything: `make lab` opens the notebooks, `make test` runs the whole test suite.
# `make demo` does the main job without a browser.  Options: LAB_ARGS=, PYTEST_ARGS=, DEMO_ARGS=, PYTHON=.

SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
LAB_ARGS ?=
PYTEST_ARGS ?=
DEMO_ARGS ?=

# The first Python that is new enough; PYTHON= chooses another.
PYTHON ?= $(shell for p in python3 python3.11 python3.12 python3.13 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)

# As root JupyterLab wants to be told so; without a display there is no browser to open.
AS_ROOT := $(shell [ "$$(id -u)" = 0 ] && echo --allow-root)
NO_DISPLAY := $(shell [ "$$(uname)" = Linux ] && [ -z "$$DISPLAY$$WAYLAND_DISPLAY" ] && echo --no-browser)

.PHONY: help lab test demo check clean
help:
	@echo "make lab    open the notebooks in JupyterLab (first time: installs into $(VENV))"
	@echo "make test   lint, type check and the whole test suite"
	@echo "make demo   train or load, evaluate, explain; writes out/demo.html"

lab: $(VENV)/.lab
	$(BIN)/jupyter lab $(AS_ROOT) $(NO_DISPLAY) $(LAB_ARGS) notebooks/00_first_look.ipynb

test: $(VENV)/.test check
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist worksteal $(PYTEST_ARGS)

check: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

demo: $(VENV)/.lab
	$(BIN)/itr-explore demo $(DEMO_ARGS)

clean:
	rm -rf $(VENV) out build *.egg-info

$(VENV)/.made:
	@[ -n "$(PYTHON)" ] || { echo "itr_explore needs Python 3.11 or newer and found none; name one with PYTHON=..."; exit 1; }
	$(PYTHON) -m venv --clear $(VENV) || { rm -rf $(VENV); echo "could not make $(VENV): on Debian and Ubuntu install python3-venv"; exit 1; }
	@touch $@

$(VENV)/.lab: pyproject.toml constraints.txt | $(VENV)/.made
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[lab]"
	@touch $@

$(VENV)/.test: pyproject.toml constraints.txt | $(VENV)/.made
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[lab,test]"
	@touch $@ $(VENV)/.lab
