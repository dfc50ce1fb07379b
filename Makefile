# Every target sets up what it needs on a fresh machine. ARGS passes options on: make search-digits ARGS="--epochs 4"
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
ARGS   ?=
# uv installs in half of pip's time: the one that is there, else one in the environment; where that fails, pip does it
UV     := $(shell command -v uv 2>/dev/null)
# Keep what Python has compiled, which containers often forbid: imports take twice as long without
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help setup setup-dev list search test test-quick check coverage docs statistics bench bench-quick chaos gpu clean

help: ## this list
	@grep -hE '^[a-z%-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 20

setup: $(VENV)/.installed ## an environment in .venv/ with what searches need
setup-dev: $(VENV)/.installed-dev ## the same with what tests and checks need

$(BIN)/python:
	$(if $(UV),uv venv -q --python $(PYTHON) $(VENV),$(PYTHON) -m venv $(VENV))

$(VENV)/.installed: $(BIN)/python pyproject.toml constraints.txt
	$(call install,.)
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(call install,.[dev$(COMMA)jax$(COMMA)ray$(COMMA)optuna$(COMMA)mlflow$(COMMA)onnx$(COMMA)litert$(COMMA)bench])
	@touch $@

COMMA := ,
PIP   := $(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt
define install
@test -n "$(UV)" || test -x $(BIN)/uv || $(PIP) uv || true
VIRTUAL_ENV=$(VENV) PATH="$$PATH:$(BIN)" uv pip install -q --compile-bytecode -c constraints.txt -e '$(1)' || $(PIP) -e '$(1)'
endef

list: setup ## the searches, and how many of their trials are done
	$(BIN)/tuner list $(ARGS)

search: search-digits ## the embedded search: ANN and CNN on 8x8 digits, about 40 seconds on two cores

search-%: setup ## run searches/NAME.toml to its report; started again, it goes on
	$(BIN)/tuner run $* $(ARGS)

report-%: setup ## write the report of NAME again
	$(BIN)/tuner report $* $(ARGS)

test: setup-dev ## all tests, four at a time, since many wait for processes; one after the other with ARGS="-n 0"
	$(BIN)/python -m pytest -n 4 --dist loadfile $(ARGS)

test-quick: setup-dev ## the tests that need no Keras, Ray, browser or process of their own, in less than a minute
	$(BIN)/python -m pytest -n 2 --dist loadfile --quick -rfE $(ARGS)

check: setup-dev ## ruff, mypy, and which room imports which
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

coverage: setup-dev ## all tests, with line and branch coverage
	$(BIN)/python -m pytest --cov --cov-report=term-missing:skip-covered $(ARGS)

docs: setup ## write docs/search-file.md from what search files are checked against, docs/api.md from docstrings
	$(BIN)/python -m tuner.search_file.reference
	$(BIN)/python -m tuner.api.reference

statistics: setup ## simulate what intervals and verdicts are worth, into reports/statistics.md
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -m benchmarks.statistics $(ARGS)

bench: setup-dev ## time the tool against its peers on the same trials, into reports/benchmarks.md
	$(BIN)/python -m benchmarks.run $(ARGS)

bench-quick: setup-dev ## a first look at the same in under five minutes, against fewer peers, into runs/bench-quick.md
	$(BIN)/python -m benchmarks.run --quick --rounds 1 --report runs/bench-quick.md $(ARGS)

chaos: setup-dev ## kill searches at every kind of moment and tell what was lost, into reports/chaos.md
	$(BIN)/python -m benchmarks.chaos $(ARGS)

gpu: ## study A on an NVIDIA GPU, by what PYTHON has of JAX or TensorFlow, into runs/gpu/
	$(PYTHON) -m benchmarks.gpu --out runs/gpu $(ARGS)

clean: ## remove the environment; ledgers and reports stay
	rm -rf $(VENV) build *.egg-info
