# Two commands matter: `make demo` and `make test`. Both install what they need.
SHELL := /bin/bash
export AGENT_WORKER_CACHE ?= $(HOME)/.cache/agent-worker
CACHE := $(AGENT_WORKER_CACHE)
UV := $(shell command -v uv || echo $(CACHE)/uv/bin/uv)
RUN := .venv/bin/

.PHONY: help
help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

.PHONY: demo
demo: install livekit-server ## a real spoken conversation on this machine, and a page to talk on (README)
	@$(MAKE) --no-print-directory page || echo "==> no page, for the reason above (it needs Node.js 20.19 or newer): the demo goes on without"
	@exec env $(if $(PORT),DEMO_PAGE_PORT=$(PORT)) $(RUN)python -m demo $(if $(ONCE),--once) $(if $(OPEN),--open) \
	  $(if $(SIZE),--size $(SIZE)) $(if $(VOICE),--voice $(VOICE)) \
	  $(if $(MAIN_MODEL),--main-model '$(MAIN_MODEL)') $(if $(FAST_MODEL),--fast-model '$(FAST_MODEL)')

# External programs that the tests run. Each is fetched by the target that needs it.
SLOW_TOOLS := smart-turn toxiproxy-server prometheus redis-server kustomize kubernetes-types prometheus-client-tests ollama strace

.PHONY: test
test: install livekit-server lint web-test page chromium ## minutes: lint, types, unit tests, and a few conversations
	$(RUN)pytest -n auto -m "not slow and not e2e"
	$(RUN)pytest -m "e2e and not slow"

.PHONY: test-slow
test-slow: install livekit-server page chromium ## the rest: every conversation, image, monitoring, Kubernetes, package, Ollama
	@for tool in $(SLOW_TOOLS); do scripts/get $$tool || echo "==> without $$tool, the tests that need it are skipped"; done
	$(RUN)pytest -n auto -rs -m "slow and not e2e"
	@$(MAKE) --no-print-directory image
	AGENT_WORKER_IMAGE=$(IMAGE) $(RUN)pytest -n 2 --dist loadfile -rs -m "slow and e2e and not real_models"
	$(RUN)pytest -rs -m "slow and e2e and real_models" # one by one: models use every core

IMAGE := agent-worker

.PHONY: image
image: ## the image, built without docker or a registry of images: that needs Debian, and root; elsewhere it is left out
	@if command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then scripts/build-image-without-docker $(IMAGE); \
	  else echo "==> no image, and no tests of it: building one without docker needs Debian, and root"; fi

.PHONY: test-unit
test-unit: install ## the unit tests alone
	$(RUN)pytest -n auto -m "not slow and not e2e"

PIPECAT := $(CACHE)/pipecat-venv

.PHONY: benchmark
benchmark: install livekit-server page ## all benchmarks but reliability, in hours; RECORDINGS=folder of human speech; the reports are in docs/benchmarks
	$(UV) sync --frozen --group benchmarks
	UV_PROJECT_ENVIRONMENT=$(PIPECAT) $(UV) sync --frozen --no-default-groups --group pipecat
	$(RUN)python -m benchmarks.latency --parallel 2 --pipecat-python $(PIPECAT)/bin/python
	$(RUN)python -m benchmarks.endpointing
	$(if $(RECORDINGS),scripts/get smart-turn && $(RUN)python -m benchmarks.turn_taking --recordings $(RECORDINGS))
	$(if $(RECORDINGS),$(RUN)python -m benchmarks.latency --recordings $(RECORDINGS) --turns 36 --parallel 2)
	$(if $(RECORDINGS),$(RUN)python -m benchmarks.anticipation --recordings $(RECORDINGS))
	$(RUN)python -m benchmarks.appropriateness
	$(RUN)python -m benchmarks.metrics_scale
	$(RUN)python -m benchmarks.scaling
	scripts/get toxiproxy-server && $(RUN)python -m benchmarks.soak
	scripts/get chromium && $(RUN)python -m benchmarks.page_gap
	$(UV) sync --frozen --group benchmarks --group rulers
	$(RUN)python -m benchmarks.rulers --part cause --systems agent-worker/phrase --rounds 1
	$(RUN)python -m benchmarks.rulers --part respond --add --pipecat-python $(PIPECAT)/bin/python
	$(RUN)python -m benchmarks.rulers --part interrupt --add --pipecat-python $(PIPECAT)/bin/python
	$(RUN)python -m benchmarks.overview

.PHONY: benchmark-quick
benchmark-quick: install livekit-server ## the published claims' order of magnitude, in 15 minutes; RECORDINGS=folder of human speech
	$(RUN)python -m benchmarks.quick $(if $(RECORDINGS),--recordings $(RECORDINGS))

.PHONY: train
train: install ## train the intent model from training/utterances; DIALOGUES=folder of human dialogues, the moves too
	$(UV) sync --frozen --group benchmarks
	$(RUN)python -m training.train
	$(if $(DIALOGUES),$(RUN)python -m training.moves --dialogues $(DIALOGUES))

.PHONY: monitoring
monitoring: install ## the Grafana dashboards' JSON, the rules of the objectives, and all rules for Kubernetes, from monitoring/
	$(RUN)python -m monitoring.slos
	$(RUN)python -m monitoring.dashboards
	$(RUN)python -m monitoring.kubernetes

NPM := scripts/with-node npm --prefix web
WEB_SOURCES := $(shell find web -type f -not -path 'web/node_modules/*' -not -path 'web/dist/*' 2>/dev/null)

.PHONY: reference
reference: install web/node_modules/.installed ## the files that are generated from the code: settings, metrics, turn record
	$(RUN)python -m reference
	$(NPM) run --silent generate

.PHONY: page
page: web/dist/index.html ## the page to talk to the agent, built into web/dist

web/dist/index.html: web/node_modules/.installed $(WEB_SOURCES)
	@echo "==> building the page"
	$(NPM) run --silent build
	@touch $@

web/node_modules/.installed: web/package-lock.json web/package.json | $(UV)
	@echo "==> installing the page's packages (about 200 MB, once)"
	$(NPM) ci --no-audit --no-fund --no-update-notifier --loglevel=error
	@touch $@

.PHONY: web-test
web-test: web/node_modules/.installed ## the page's lint, types and unit tests
	$(NPM) run --silent check
	$(NPM) run --silent types
	$(NPM) run --silent test

.PHONY: lint
lint: install ## ruff, mypy, import-linter, hadolint, and whether requirements.txt matches the lock
	$(RUN)ruff check .
	$(RUN)ruff format --check .
	$(RUN)mypy
	$(RUN)lint-imports --no-logo
	$(RUN)hadolint Dockerfile
	@$(UV) export --frozen --quiet --no-dev --no-default-groups --all-extras --no-emit-project --no-header | diff -q - requirements.txt >/dev/null \
	  || { echo "requirements.txt does not match uv.lock: run 'make requirements'"; exit 1; }

.PHONY: image-test
image-test: install livekit-server image ## the image, and conversations with it
	AGENT_WORKER_IMAGE=$(IMAGE) $(RUN)pytest -rs tests/e2e/test_image.py

.PHONY: audit
audit: install web/node_modules/.installed ## licences and known weaknesses of what the worker and the page need; asks PyPI and npm
	$(RUN)python -m reference.licences
	$(UV) tool run pip-audit --strict --disable-pip --no-deps -r requirements.txt
	$(NPM) audit --omit=dev

.PHONY: sbom
sbom: install web/node_modules/.installed ## what worker and page consist of, as CycloneDX: dist/sbom-python.json, dist/sbom-web.json
	@mkdir -p dist
	$(UV) export --frozen --quiet --format cyclonedx1.5 --no-dev --no-default-groups --all-extras -o dist/sbom-python.json
	$(NPM) sbom --omit=dev --package-lock-only --sbom-format cyclonedx >dist/sbom-web.json

.PHONY: format
format: install web/node_modules/.installed ## format the code
	$(RUN)ruff check --fix .
	$(RUN)ruff format .
	$(NPM) run --silent format

.PHONY: requirements
requirements: $(UV) ## export requirements.txt from the lock
	$(UV) export --frozen --quiet --no-dev --no-default-groups --all-extras --no-emit-project --no-header -o requirements.txt

.PHONY: install
install: .venv/.installed ## the Python environment, from the lock

.venv/.installed: uv.lock pyproject.toml | $(UV)
	@echo "==> installing Python packages (about 1 GB, once)"
	$(UV) sync --frozen --compile-bytecode # each worker, call and command is a process that imports it all
	@touch $@

$(CACHE)/uv/bin/uv:
	@command -v python3 >/dev/null || { echo "python3 not found: install Python 3.10 or newer"; exit 1; }
	@python3 -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { echo "python3 is $$(python3 -V): 3.10 or newer is needed"; exit 1; }
	@echo "==> installing uv"
	python3 -m venv $(CACHE)/uv
	$(CACHE)/uv/bin/pip install --quiet --require-hashes -r scripts/uv.txt

.PHONY: livekit-server
livekit-server: ## LiveKit server: the one on PATH, or built once with Go, or docker's image
	@scripts/get livekit-server

.PHONY: chromium
chromium: ## Chromium, for the tests of the page: the one on PATH, or Debian's package
	@scripts/get chromium || echo "==> without it, the tests of the page in a browser are skipped"

.PHONY: $(SLOW_TOOLS) promtool jaeger kube-apiserver
$(SLOW_TOOLS) promtool jaeger kube-apiserver: # the one on PATH, or got once: see scripts/get
	@scripts/get $@
