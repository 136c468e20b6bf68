# Two commands need nothing beforehand but Python >= 3.11, git and make: `make demo` and `make test`.
# Every target sets the environments up by itself; a stamp in each says for which pinned file it was made.

PYTHON ?= python3
PYTEST_ARGS ?=
ONCE ?=
PICTURE ?=

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup demo test lint bench crash pins clean

APP := .venv/.ready
SYNAPSE := .venv-synapse/.ready
MAILMAN := .venv-mailman/.ready

help:  ## show this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 16

setup: $(APP) $(SYNAPSE) $(MAILMAN)  ## make the three virtual environments (the other targets do it by themselves)

demo: setup  ## play the main job on real servers; ONCE=1 checks it and ends, PICTURE=FILE draws it too (SVG)
	@.venv/bin/python -m lab.demo $(if $(ONCE),--once) $(if $(PICTURE),--picture $(PICTURE))

test: setup  ## every test, with the real servers; two at a time, since most of them wait
	.venv/bin/python -m pytest --numprocesses 2 --dist loadfile --timeout 600 --timeout-method thread $(PYTEST_ARGS)

lint: $(APP)  ## ruff and mypy
	.venv/bin/python -m ruff check .
	.venv/bin/python -m mypy
	.venv/bin/python -m mypy -p lab

bench: setup  ## the figures that the README quotes
	.venv/bin/python -m benchmarks

crash: setup  ## 200 random kills under load
	.venv/bin/python -m tests.crash

pins:  ## resolve today's versions anew into requirements/ (for maintainers)
	scripts/pins $(PYTHON)

clean:  ## remove the environments, caches and states
	rm -rf .venv .venv-synapse .venv-mailman .state .pytest_cache .mypy_cache .ruff_cache .hypothesis build
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The app's own code is installed in place, without dependencies of its own: those are the pinned ones.
$(APP): requirements/app.txt requirements/dev.txt scripts/environment
	@scripts/environment "$(PYTHON)" .venv requirements/dev.txt "the daemon and its tests (1 of 3)"
	@.venv/bin/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(SYNAPSE): requirements/synapse.txt scripts/environment
	@scripts/environment "$(PYTHON)" .venv-synapse requirements/synapse.txt "Synapse, the homeserver (2 of 3)"
	@touch $@

$(MAILMAN): requirements/mailman.txt scripts/environment
	@scripts/environment "$(PYTHON)" .venv-mailman requirements/mailman.txt "Mailman, the list server (3 of 3)"
	@touch $@
