# Every target sets up what it needs; the second run of each is quick.
PYTHON ?= python3.11
VENV   := .venv
BIN    := $(VENV)/bin
PORT   ?= 9000
DEMO_MODEL := .models/gemma3-270m-q4_k_m.gguf
# setuptools warns of every editable installation.
INSTALL := PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet

.DEFAULT_GOAL := help
.PHONY: help serve chat lambda test check format build validate bench bench-matching chaos clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

# --- environments: a stamp is newer than what it was installed from ------------------------------------------------

$(VENV)/bin/python:
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is not installed; name another with make PYTHON=…"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@$(INSTALL) --upgrade pip

$(VENV)/.run: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "installing the engine; llama.cpp is compiled once, which takes a few minutes"
	@$(INSTALL) --constraint constraints.txt --editable '.[local,external,auth]'
	@touch $@

$(VENV)/.dev: $(VENV)/.run
	@echo "installing what the tests need"
	@$(INSTALL) --constraint constraints.txt --editable '.[local,external,metrics,auth,dev]'
	@touch $@

$(DEMO_MODEL): | $(VENV)/.run
	@$(BIN)/python -m tools.demo_model || echo "going on without a local model"

# --- running ---------------------------------------------------------------------------------------------------------

# The commands read `.env` themselves; whether it names a model decides here about the demo model alone.
NAMED_IN_ENV := $(shell grep -sE '^[[:blank:]]*(export[[:blank:]]+)?LOCAL_LLM_MODEL[[:blank:]]*=[[:blank:]]*[^[:blank:]\#]' $(or $(MISAKI_ENV_FILE),.env))
MODEL_NEEDED := $(if $(strip $(LOCAL_LLM_MODEL)$(NAMED_IN_ENV)),,$(DEMO_MODEL))
ifneq ($(MODEL_NEEDED),)
serve chat lambda build: export LOCAL_LLM_MODEL := $(MODEL_NEEDED)
endif

# The demo model has read its prompt before the first turn comes; another one may take long over it, and does so meanwhile.
# What `misaki build` finds wrong does not stop a server, which says it itself.
BUILD := $(BIN)/misaki build $(if $(MODEL_NEEDED),,--plan-only) 2>/dev/null

serve: $(VENV)/.run $(MODEL_NEEDED) ## talk to the bot over HTTP on 127.0.0.1:9000, with the demo model unless LOCAL_LLM_MODEL is set
	@$(BUILD); $(BIN)/misaki serve --port $(PORT)

chat: $(VENV)/.run $(MODEL_NEEDED) ## talk to the bot in the terminal
	@$(BIN)/misaki chat

lambda: $(VENV)/.dev $(MODEL_NEEDED) ## the same in AWS's own Lambda emulator
	@$(BUILD); $(BIN)/python -m tools.lambda_emulator --port $(PORT)

# --- checking --------------------------------------------------------------------------------------------------------

check: $(VENV)/.dev ## the fast inner loop: format, lint, types, layers, validation, unit tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/misaki validate
	$(BIN)/python -m pytest -q tests/unit

test: export MISAKI_ENV_FILE := off
test: export LOCAL_LLM_MODEL :=
test: $(VENV)/.dev ## every test, with real models, real servers and a real browser
	$(BIN)/python -m tools.test_setup
	$(BIN)/python -m pytest --prepared

format: $(VENV)/.dev ## format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

build: $(VENV)/.run $(MODEL_NEEDED) ## compile the pipeline, and have the local model read the beginning of its prompt
	@$(BIN)/misaki build

validate: $(VENV)/.run ## check every pipeline and reply
	@$(BIN)/misaki validate

bench: $(VENV)/.dev ## speed and memory beside peers, which get an environment of their own; writes docs/benchmarks.md
	@$(BIN)/python -m benchmarks --full --write

bench-matching: $(VENV)/.dev ## false accepts and false rejects of matching, beside its peers
	@$(BIN)/python -m benchmarks.matching

chaos: $(VENV)/.dev ## what still holds whatever fails: tables of experiments, some of which take minutes
	@$(BIN)/python -m tests.chaos

clean: ## remove everything that was installed or made
	rm -rf $(VENV) .models .cache pipelines/.cache .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist *.egg-info

include infra.mk
