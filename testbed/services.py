"""The parts of a whole system: LiveKit server, model server, worker, agent-metrics, page server."""

from __future__ import annotations

import contextlib
import functools
import json
import shutil
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from agent_worker.core.folders import cache_dir
from agent_worker.core.settings import CloudSettings, SelfHostedSettings
from call_guard.app import WEBHOOK_PATH
from call_guard.settings import GuardSettings
from model_server.real import DEFAULT_VOICE, STT_NAME, TTS_NAMES, ModelChoice
from model_server.weights import SMOLLM, language_model_name
from page_server.settings import PageSettings, is_built
from testbed.processes import Child, ServiceError, free_port, responds

ROOT = Path(__file__).resolve().parent.parent
API_KEY = "devkey"
API_SECRET = "secret"


@dataclass(frozen=True)
class Ports:
    """TCP ports on loopback. LiveKit server uses the two after its own for media."""

    livekit: int = 7880
    models: int = 8790
    metrics: int = 9100
    page: int = 8080
    guard: int = 9200

    @classmethod
    def free(cls) -> Ports:
        """Return ports that nothing listens on."""
        return cls(livekit=free_port(), models=free_port(), metrics=free_port(), page=free_port(), guard=free_port())

    @property
    def livekit_url(self) -> str:
        """WebSocket URL of LiveKit server."""
        return f"ws://127.0.0.1:{self.livekit}"

    @property
    def models_url(self) -> str:
        """Base URL of the model server's OpenAI API."""
        return f"http://127.0.0.1:{self.models}/v1"

    @property
    def metrics_url(self) -> str:
        """URL that Prometheus scrapes."""
        return f"http://127.0.0.1:{self.metrics}/metrics"

    @property
    def page_url(self) -> str:
        """URL of the page; by name, because browsers give a microphone to ``localhost``."""
        return f"http://localhost:{self.page}"


def find_binary(name: str) -> str:
    """Return the path of a program that is on PATH or was installed by ``make``.

    Raises:
        ServiceError: If it is in neither place.
    """
    found = shutil.which(name) or shutil.which(name, path=str(cache_dir() / "bin"))
    if found is None:
        raise ServiceError(f"{name} not found on PATH or in {cache_dir() / 'bin'}: run `make {name}`")
    return found


@dataclass(frozen=True)
class Service:
    """How to run one part and how to tell that it is ready.

    Attributes:
        name: For messages; its first word names the log file.
        command: Program and arguments.
        timeout: Seconds until it is ready, at most.
        ready_url: A GET of it succeeds once the part is ready.
        ready_line: Instead of a URL: what the part logs once it is ready.
        env: Environment variables on top of those of this process.
    """

    name: str
    command: Sequence[str]
    timeout: float
    ready_url: str = ""
    ready_line: str = ""
    env: Mapping[str, str] = field(default_factory=dict)

    async def is_ready(self, child: Child) -> bool:
        """Whether ``child``, which runs this service, is ready."""
        return await responds(self.ready_url) if self.ready_url else self.ready_line in child.output()


def livekit_server(port: int, redis: str = "", *, auto_create: bool = False, webhooks: Sequence[str] = ()) -> Service:
    """Describe a LiveKit server.

    Args:
        port: The first of three.
        webhooks: URLs that it tells when somebody joins or leaves a room.
        redis: ``host:port`` of the Redis that makes all servers with the same one a cluster.
        auto_create: Whether it creates a room for everyone who joins, as LiveKit does by default. Otherwise only for
            tokens that may create rooms, such as those of the command ``caller``.
    """
    config = f"port: {port}\nrtc: {{tcp_port: {port + 1}, udp_port: {port + 2}}}\n"
    config += f"room: {{auto_create: {str(auto_create).lower()}}}\n"
    if webhooks:
        config += f"webhook: {{api_key: {API_KEY}, urls: {json.dumps([*webhooks])}}}\n"
    if redis:
        config += f"redis: {{address: {redis}}}\n"
    # Without --node-ip media would leave loopback.
    arguments = ("--dev", "--bind", "127.0.0.1", "--node-ip", "127.0.0.1", "--config-body", config)
    return Service(
        "LiveKit server", [find_binary("livekit-server"), *arguments], 20, ready_url=f"http://127.0.0.1:{port}"
    )


def redis_server(port: int, *more: str) -> Service:
    """Describe a Redis that keeps nothing on disk, with more of its arguments."""
    arguments = ("--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", *more)
    command = [find_binary("redis-server"), *arguments]
    return Service("redis", command, 20, ready_line="Ready to accept connections")


_JAEGER_CONFIG = """\
service:
  extensions: [jaeger_storage, jaeger_query]
  pipelines: {{traces: {{receivers: [otlp], exporters: [jaeger_storage_exporter]}}}}
  telemetry: {{metrics: {{level: none}}}}
extensions:
  jaeger_storage: {{backends: {{memory: {{memory: {{max_traces: 1000}}}}}}}}
  jaeger_query:
    storage: {{traces: memory}}
    http: {{endpoint: "127.0.0.1:{port}"}}
    grpc: {{endpoint: "127.0.0.1:{grpc_port}"}}
    enable_tracing: false
receivers: {{otlp: {{protocols: {{http: {{endpoint: "127.0.0.1:{otlp_port}"}}}}}}}}
exporters: {{jaeger_storage_exporter: {{trace_storage: memory}}}}
"""


def jaeger(port: int) -> Service:
    """Describe a Jaeger that keeps traces in memory.

    Args:
        port: The first of three: of Jaeger's API, of OTLP over HTTP, and of the API over gRPC.
    """
    config = _JAEGER_CONFIG.format(port=port, otlp_port=port + 1, grpc_port=port + 2)
    command = [find_binary("jaeger"), "--config", f"yaml:{config}"]
    return Service("jaeger", command, 60, ready_url=f"http://127.0.0.1:{port}/api/services")


#: Real models of a few megabytes, which are installed with the packages: for tests.
SMALL_MODELS = ModelChoice(main_model=SMOLLM, fast_model=SMOLLM)


def real_models(port: int, choice: ModelChoice = SMALL_MODELS) -> Service:
    """Describe a model server with real models."""
    arguments = ("--main-model", choice.main_model, "--fast-model", choice.fast_model, "--voice", choice.voice)
    return model_server(port, *arguments, "--llm-threads", str(choice.llm_threads))


def model_server(port: int, *arguments: str) -> Service:
    """Describe a model server."""
    return Service(
        "model server",
        [sys.executable, "-m", "model_server", "--port", str(port), *arguments],
        180,
        ready_url=f"http://127.0.0.1:{port}/health",
        env={"PYTHONPATH": str(ROOT)},
    )


def simulated_models(port: int, config: Mapping[str, object], folder: Path) -> Service:
    """Describe a model server with simulated models; its configuration is written to ``folder``."""
    file = folder / "simulation.json"
    file.write_text(json.dumps(config))
    return model_server(port, "--simulated", str(file))


def agent_metrics(port: int, folder: Path) -> Service:
    """Describe an agent-metrics that serves the metrics files in ``folder``."""
    return Service(
        "agent-metrics",
        [sys.executable, "-m", "agent_metrics", "--host", "127.0.0.1", "--port", str(port)],
        20,
        ready_url=f"http://127.0.0.1:{port}/metrics",
        env={"PROMETHEUS_MULTIPROC_DIR": str(folder), "PYTHONPATH": str(ROOT)},
    )


def worker(script: str, env: Mapping[str, str]) -> Service:
    """Describe a worker; ``script`` is relative to the project's folder, ``env`` has its settings."""
    return Service(
        f"worker ({script})", [sys.executable, str(ROOT / script)], 300, ready_line="registered worker", env=env
    )


PAGE_SERVER = "page server"


def page_server(ports: Ports, env: Mapping[str, str] | None = None) -> Service:
    """Describe a page server; ``env`` has settings on top of ports and keys."""
    settings = {name.upper(): "" for name in PageSettings.model_fields}
    return Service(
        PAGE_SERVER,
        [sys.executable, "-m", "page_server"],
        60,
        ready_url=f"http://127.0.0.1:{ports.page}/healthz",
        env={**settings, **livekit_env(ports), "PAGE_PORT": str(ports.page), "PYTHONPATH": str(ROOT), **(env or {})},
    )


def call_guard(ports: Ports, env: Mapping[str, str] | None = None) -> Service:
    """Describe a call guard; ``env`` has settings on top of ports and keys."""
    settings = {name.upper(): "" for name in GuardSettings.model_fields}
    return Service(
        "guard (call_guard)",
        [sys.executable, "-m", "call_guard"],
        180,
        ready_url=f"http://127.0.0.1:{ports.guard}/healthz",
        env={**settings, **livekit_env(ports), "GUARD_PORT": str(ports.guard), "PYTHONPATH": str(ROOT), **(env or {})},
    )


def webhook_url(ports: Ports) -> str:
    """Return where LiveKit server sends the webhooks of a call guard."""
    return f"http://127.0.0.1:{ports.guard}{WEBHOOK_PATH}"


@contextlib.asynccontextmanager
async def running(
    services: Iterable[Service],
    logs: Path,
    progress: Callable[[str], None] = lambda _: None,
    waiting: Callable[[str], None] | None = None,
) -> AsyncIterator[dict[str, Child]]:
    """Start services one after the other, each once the one before is ready; stop all of them at the end.

    Args:
        services: In the order of their start.
        logs: Folder for their logs.
        progress: Gets a line for each service that is ready.
        waiting: Gets lines that tell what is being waited for. ``None``: ``progress`` gets them.

    Yields:
        The child processes by the names of their services.

    Raises:
        ServiceError: If one does not get ready.
    """
    children: dict[str, Child] = {}
    async with contextlib.AsyncExitStack() as stack:
        for service in services:
            started = time.monotonic()
            log = logs / f"{service.name.split()[0].lower()}.log"
            child = await Child.start(service.name, service.command, service.env, log)
            stack.push_async_callback(child.stop)
            await child.wait_until(functools.partial(service.is_ready, child), service.timeout, waiting or progress)
            progress(f"{service.name} is ready ({time.monotonic() - started:.1f} s)")
            children[service.name] = child
        yield children


def livekit_env(ports: Ports) -> dict[str, str]:
    """Return address and keys of the local LiveKit server."""
    return {"LIVEKIT_URL": ports.livekit_url, "LIVEKIT_API_KEY": API_KEY, "LIVEKIT_API_SECRET": API_SECRET}


def worker_env(ports: Ports, metrics_folder: Path) -> dict[str, str]:
    """Return the settings with which either worker script uses the local LiveKit server and model server.

    Every other setting is empty, so that none of the surrounding environment has an effect.
    """
    unset = {name.upper(): "" for settings in (CloudSettings, SelfHostedSettings) for name in settings.model_fields}
    return {
        **unset,
        **livekit_env(ports),
        "OLLAMA_BASE_URL": ports.models_url,
        "SPEACHES_BASE_URL": ports.models_url,
        "KOKORO_BASE_URL": ports.models_url,
        "GROQ_BASE_URL": ports.models_url,
        "GROQ_API_KEY": "local",
        "DEEPGRAM_BASE_URL": f"{ports.models_url}/listen",
        "DEEPGRAM_API_KEY": "local",
        "OPENAI_BASE_URL": ports.models_url,
        "OPENAI_API_KEY": "local",
        "PROMETHEUS_MULTIPROC_DIR": str(metrics_folder),
        "WORKER_PORT": "0",
        "CALLERS_CHOOSE_STRATEGY": "1",
        "CALLERS_SEE_USAGE": "1",
        # Apart from phrases that another voice, local or real, spoke under the same name.
        "PRERESPONSE_AUDIO_DIR": str(cache_dir() / "demo-phrases" / DEFAULT_VOICE),
        # The models share the CPU with the worker, so its load does not tell whether it can take a call.
        "WORKER_MAX_CALLS": "4",
        # The language models are small: they need simpler prompts and a low limit.
        "SYSTEM_PROMPT": "Give helpful advice in one or two short sentences.",
        "PRERESPONSE_PROMPT": "Acknowledge what the caller said in one short sentence. Do not answer.",
        "ANSWER_MAX_TOKENS": "60",
    }


CALLER_TIMEOUT_S = 600.0
"""For a caller that waits however slow the machine is: for the connection, for an agent, for a reply."""


def model_names_env(choice: ModelChoice) -> dict[str, str]:
    """Return the settings with which the self-hosted worker asks for the models by their own names.

    So its metrics, records and log name the models that really run.
    """
    return {
        "OLLAMA_MAIN_MODEL": language_model_name(choice.main_model),
        "OLLAMA_FAST_MODEL": language_model_name(choice.fast_model),
        "SPEACHES_MODEL": STT_NAME,
        "KOKORO_MODEL": TTS_NAMES[choice.voice],
        "PRERESPONSE_AUDIO_DIR": str(cache_dir() / "demo-phrases" / choice.voice),
    }


#: The models share the CPU with everything else: a slow answer is not a failure.
LONG_TIMEOUTS = {"ANSWER_TIMEOUT": "60", "VOICE_TIMEOUT": "60", "TRANSCRIPT_TIMEOUT": "60"}


def whole_system(
    script: str,
    ports: Ports,
    metrics_folder: Path,
    env: Mapping[str, str] | None = None,
    models: ModelChoice = SMALL_MODELS,
) -> list[Service]:
    """Describe all parts that a conversation needs, in the order of their start; with the page, if it is built.

    Args:
        script: The worker script, ``fast-preresponse.py`` or ``fast-preresponse-ollama.py``.
        ports: Where they listen.
        metrics_folder: For the worker's metrics files.
        env: Settings of the worker that override those of :func:`worker_env`.
        models: The real models.
    """
    metrics_folder.mkdir(parents=True, exist_ok=True)
    settings = {**worker_env(ports, metrics_folder), **LONG_TIMEOUTS, **model_names_env(models), **(env or {})}
    return [
        livekit_server(ports.livekit, webhooks=[webhook_url(ports)]),
        real_models(ports.models, models),
        agent_metrics(ports.metrics, metrics_folder),
        worker(script, settings),
        call_guard(ports),
        *([page_server(ports)] if is_built() else []),
    ]
