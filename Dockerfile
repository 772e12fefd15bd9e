# The image of worker, agent-metrics and page: docker build -t agent-worker . (docs/docker.md)
# docs/docker.md explains how to pin the base images by digest instead of by tag.
ARG PYTHON_IMAGE=python:3.11.14-slim-bookworm
ARG NODE_IMAGE=node:24.11.0-bookworm-slim

FROM ${NODE_IMAGE} AS page
WORKDIR /web
COPY web/package.json web/package-lock.json ./
RUN --mount=type=cache,target=/root/.npm npm ci --no-audit --no-fund
COPY web ./
RUN npm run build


FROM ${PYTHON_IMAGE} AS packages
ENV UV_PROJECT_ENVIRONMENT=/app/.venv UV_PYTHON_DOWNLOADS=never UV_LINK_MODE=copy UV_COMPILE_BYTECODE=1
WORKDIR /app
COPY scripts/uv.txt scripts/smart-turn.txt ./
RUN --mount=type=cache,target=/root/.cache/pip pip install --require-hashes -r uv.txt
COPY pyproject.toml uv.lock ./
# Only packages of the lock: the same at each build.
RUN --mount=type=cache,target=/root/.cache/uv \
    uv sync --frozen --no-default-groups --all-extras --no-install-project
# The weights of smart-turn (BSD-2) and their licence, out of Pipecat's wheel.
RUN --mount=type=cache,target=/root/.cache/pip \
    pip install --no-deps --no-compile --require-hashes --target /pipecat -r smart-turn.txt \
 && mkdir -p .venv/share/agent-worker \
 && cp /pipecat/pipecat/audio/turn/smart_turn/data/smart-turn-v3.2-cpu.onnx .venv/share/agent-worker/ \
 && cp /pipecat/pipecat_ai-*.dist-info/licenses/LICENSE .venv/share/agent-worker/smart-turn-LICENSE \
 && rm -r /pipecat


FROM ${PYTHON_IMAGE}
# A new volume is a copy of the image's folder at its mount point: the user may write there.
RUN apt-get update \
 && apt-get install -y --no-install-recommends tini=0.19.0-* \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --uid 10001 --user-group --home-dir /var/lib/agent-worker --no-create-home --shell /usr/sbin/nologin agent \
 && mkdir -p /var/lib/agent-worker/.cache /run/agent-worker/metrics \
 && chown -R agent:agent /var/lib/agent-worker /run/agent-worker \
 && chmod -R go= /run/agent-worker

# Turn records hold it: `docker build --build-arg VERSION=…` for one of your own, such as a commit.
ARG VERSION=0.1.0
WORKDIR /app
COPY --from=packages /app/.venv .venv
COPY --from=page /web/dist web/dist
COPY fast-preresponse.py fast-preresponse-ollama.py LICENSE ./
COPY agent_metrics agent_metrics
COPY agent_worker agent_worker
COPY call_guard call_guard
COPY caller caller
COPY http_service http_service
COPY page_server page_server
COPY deploy/image image
# METRICS_PORT: the worker serves the metrics; set it to empty for a separate agent-metrics. METRICS_HOST, PAGE_HOST: all
# interfaces of the container, where `-p` decides who reaches them.
# PAGE_HEALTH_PORT: health checks of the page do not compete with callers.
# TURN_LOG: the times of each turn are in the log, without words, so that a complaint leads to a turn.
ENV PATH=/app/.venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PROMETHEUS_MULTIPROC_DIR=/run/agent-worker/metrics \
    METRICS_PORT=9100 \
    METRICS_HOST=0.0.0.0 \
    PAGE_HOST=0.0.0.0 \
    PAGE_HEALTH_PORT=8082 \
    AGENT_WORKER_VERSION=$VERSION \
    TURN_LOG=timing
# The user cannot write bytecode at run time. The models (VAD, end of turn) are used once, without network access.
RUN python -m compileall -q agent_metrics agent_worker call_guard caller http_service page_server \
 && PYTHONPATH=. python image/check_models.py

USER 10001
EXPOSE 8080 9100
# At the first start, the phrases are synthesised before the worker is healthy.
HEALTHCHECK --interval=15s --timeout=10s --start-period=200s --retries=3 CMD ["python", "-m", "agent_worker.app.health"]
ENTRYPOINT ["tini", "--", "/app/image/entrypoint"]
CMD ["fast-preresponse.py"]
