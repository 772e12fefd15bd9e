# Two commands matter: `make demo` and `make test`. Both install what they need.
SHELL := /bin/bash
export AGENT_WORKER_CACHE ?= $(HOME)/.cache/agent-worker
CACHE := $(AGENT_WORKER_CACHE)
UV := $(shell command -v uv || echo $(CACHE)/uv/bin/uv)
RUN := .venv/bin/

LIVEKIT_VERSION := v1.13.5
OLLAMA_VERSION := v0.9.6
TOXIPROXY_VERSION := v2.5.0
KUSTOMIZE_VERSION := v5.7.1

.PHONY: help
help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

.PHONY: demo
demo: install livekit-server ## a real spoken conversation on this machine, and a page to talk on; PORT=8080; ONCE=1 exits after it
	@$(MAKE) --no-print-directory page || echo "==> no page: that needs Node.js 20.19 or newer; the demo goes on without"
	@exec env $(if $(PORT),DEMO_PAGE_PORT=$(PORT)) $(RUN)python -m demo $(if $(ONCE),--once)


.PHONY: test
test: install livekit-server prometheus-client-tests lint web-test page ## lint, types, unit tests and end-to-end tests with real servers and models
	@scripts/get-toxiproxy $(TOXIPROXY_VERSION) || echo "==> without it, the tests of failing connections are skipped"
	@scripts/get-prometheus || echo "==> without it, the tests that need Prometheus are skipped"
	@scripts/get-browser || echo "==> without it, the tests of the page in a browser are skipped"
	@scripts/get-redis || echo "==> without it, the tests of LiveKit servers that work together are skipped"
	@scripts/get-kustomize $(KUSTOMIZE_VERSION) || echo "==> without it, the Kubernetes manifests are not tested"
	@scripts/get-kubernetes-types || echo "==> without them, the custom resources in the manifests are not tested"
	$(RUN)pytest -n auto -m "not e2e and not ollama"
	$(RUN)pytest -n 2 --dist loadfile -m simulated
	$(RUN)pytest -m "e2e and not simulated and not ollama" # one by one: models take every core that there is

.PHONY: test-unit
test-unit: install ## the tests that need no model
	$(RUN)pytest -n auto -m "not e2e and not ollama and not package"

.PHONY: test-ollama
test-ollama: install livekit-server ollama ## a conversation through a real Ollama
	$(RUN)pytest -m ollama

PIPECAT := $(CACHE)/pipecat-venv

.PHONY: benchmark
benchmark: install livekit-server page ## hours: what callers wait, against other agents; end of turn; how well phrases fit; scrapes
	$(UV) sync --frozen --group benchmarks
	UV_PROJECT_ENVIRONMENT=$(PIPECAT) $(UV) sync --frozen --no-default-groups --group pipecat
	$(RUN)python -m benchmarks.latency --parallel 2 --pipecat-python $(PIPECAT)/bin/python
	$(RUN)python -m benchmarks.endpointing
	$(RUN)python -m benchmarks.appropriateness
	$(RUN)python -m benchmarks.metric_events
	$(RUN)python -m benchmarks.metrics_scale
	$(RUN)python -m benchmarks.scaling
	scripts/get-toxiproxy $(TOXIPROXY_VERSION) && $(RUN)python -m benchmarks.soak
	scripts/get-browser && $(RUN)python -m benchmarks.page_gap

.PHONY: train
train: install ## the model of utterance kinds, from training/utterances
	$(UV) sync --frozen --group benchmarks
	$(RUN)python -m training.train

.PHONY: monitoring
monitoring: install ## the Grafana dashboards' JSON, and the rules for Kubernetes, from monitoring/
	$(RUN)python -m monitoring.dashboards
	$(RUN)python -m monitoring.kubernetes

.PHONY: reference
reference: install ## the pages that are written from the code: .env.example, docs/configuration.md, docs/metrics-reference.md
	$(RUN)python -m reference

NPM := scripts/with-node npm --prefix web
WEB_SOURCES := $(shell find web -type f -not -path 'web/node_modules/*' -not -path 'web/dist/*' 2>/dev/null)

.PHONY: page
page: web/dist/index.html ## the page to talk to the agent, built into web/dist

web/dist/index.html: web/node_modules/.installed $(WEB_SOURCES)
	@echo "==> building the page"
	$(NPM) run --silent build
	@touch $@

web/node_modules/.installed: web/package-lock.json web/package.json | $(UV)
	@echo "==> installing the page's packages (about 200 MB, once)"
	$(NPM) ci
	@touch $@

.PHONY: web-test
web-test: web/node_modules/.installed ## the page's lint, types and unit tests
	$(NPM) run --silent check
	$(NPM) run --silent types
	$(NPM) run --silent test

.PHONY: lint
lint: install ## ruff, mypy, hadolint, and whether requirements.txt matches the lock
	$(RUN)ruff check .
	$(RUN)ruff format --check .
	$(RUN)mypy
	$(RUN)hadolint Dockerfile
	@$(UV) export --frozen --quiet --no-dev --no-default-groups --all-extras --no-emit-project --no-header | diff -q - requirements.txt >/dev/null \
	  || { echo "requirements.txt does not match uv.lock: run 'make requirements'"; exit 1; }

.PHONY: image-test
image-test: install livekit-server ## the image, built without docker, and conversations with it; Debian, as root
	scripts/build-image-without-docker agent-worker
	AGENT_WORKER_IMAGE=agent-worker $(RUN)pytest tests/e2e/test_image.py

.PHONY: audit
audit: install web/node_modules/.installed ## licences and known weaknesses of what the worker and the page need; asks PyPI and npm
	$(RUN)python -m reference.licences
	$(UV) tool run pip-audit --strict --disable-pip --no-deps -r requirements.txt
	$(NPM) audit --omit=dev

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
	$(UV) sync --frozen
	@touch $@

$(CACHE)/uv/bin/uv:
	@command -v python3 >/dev/null || { echo "python3 not found: install Python 3.10 or newer"; exit 1; }
	@python3 -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { echo "python3 is $$(python3 -V): 3.10 or newer is needed"; exit 1; }
	@echo "==> installing uv"
	python3 -m venv $(CACHE)/uv
	$(CACHE)/uv/bin/pip install --quiet uv

PROMETHEUS_CLIENT := $(shell sed -nE 's/^prometheus-client==([0-9.]+).*/\1/p' requirements.txt)
PROMETHEUS_CLIENT_SDIST := $(CACHE)/sources/prometheus_client-$(PROMETHEUS_CLIENT).tar.gz

.PHONY: prometheus-client-tests
prometheus-client-tests: $(UV) ## prometheus_client's own tests, from its source package; they are skipped without it
	@test -e $(PROMETHEUS_CLIENT_SDIST) || python3 -m pip download --quiet --no-deps --no-binary prometheus-client \
	  --dest $(CACHE)/sources prometheus-client==$(PROMETHEUS_CLIENT) \
	  || echo "==> no source package of prometheus-client: its tests will be skipped"

.PHONY: livekit-server
livekit-server: ## a LiveKit server: the one on PATH, or built once with Go, or docker's image
	@scripts/get-livekit-server $(LIVEKIT_VERSION)

.PHONY: toxiproxy
toxiproxy: ## Toxiproxy, which the tests of failing connections use: the one on PATH, or built once with Go
	@scripts/get-toxiproxy $(TOXIPROXY_VERSION)

.PHONY: prometheus promtool
prometheus promtool: # Prometheus and promtool: those on PATH, or out of the distribution's package
	@scripts/get-prometheus

.PHONY: ollama
ollama: ## a real Ollama: the one on PATH, or built once with Go
	@scripts/get-ollama $(OLLAMA_VERSION)
