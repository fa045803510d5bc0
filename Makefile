# The words of this project. Each target sets up what it needs; nothing is written outside this folder.
# make run · make run PORT=0 · make test · make quick · make check · make sim SEEDS=5000 · make bench · make lock

SEEDS ?= 300
WORKERS ?= 2
PORT := 8080
BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest -q
# What make quick leaves to make test: many seeds, many kills, many processes.
LONG := tests/simulation/test_seeds.py tests/simulation/test_kills.py \
	tests/simulation/test_kills_out.py tests/simulation/test_kills_writing.py \
	tests/embedded_crm/test_index.py tests/embedded_crm/test_processes.py

.PHONY: help run setup setup-dev test quick check sim bench docs lock messages

help:
	@echo "make run      start the demo on port $(PORT) (sets up what it needs); PORT=0 takes a free one"
	@echo "make test     run every test"
	@echo "make quick    run the tests that need no browser, no server process and not long"
	@echo "make check    style, types and import rules"
	@echo "make sim      run the simulation over SEEDS=$(SEEDS) seeds"
	@echo "make bench    measure against the peers"
	@echo "make setup    only make .venv and the command .venv/bin/syncline"
	@echo "make docs     write the generated pages of docs/ again"
	@echo "make messages  bring the message catalogues up to date"
	@echo "make lock     resolve the dependencies again and write both lock files"

setup:
	@sh tools/setup.sh run

setup-dev:
	@sh tools/setup.sh dev

run: setup
	@$(BIN)/syncline demo --port $(PORT)

test: setup-dev
	@sh tools/browser.sh
	@$(PYTEST) -n $(WORKERS) --dist loadfile -m "not package and not browser"
	@$(PYTEST) -m "package or browser"

quick: setup-dev
	@$(PYTEST) -n auto -m "not browser and not emulator and not package" $(addprefix --ignore=,$(LONG))

check: setup-dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(PYTEST) tests/house -m "not package"

sim: setup
	@$(BIN)/syncline simulate --seeds $(SEEDS) --jobs $(WORKERS)

bench: setup-dev
	@$(BIN)/python bench/run.py

docs: setup-dev
	@$(BIN)/python tools/write_docs.py

messages: setup-dev
	@$(BIN)/python tools/messages.py

lock:
	@sh tools/lock.sh
