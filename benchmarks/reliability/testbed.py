"""A real system with simulated providers, and a proxy before each of them that can be made to fail."""

from __future__ import annotations

import contextlib
import functools
import subprocess
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from benchmarks.harness.cli import progress
from benchmarks.harness.clips import UTTERANCES
from benchmarks.harness.simulation import ANSWER_HZ, FAST_MODEL, PRERESPONSE_HZ
from benchmarks.harness.systems import SMALL_MODEL_SETTINGS
from benchmarks.reliability.provider_faults import PROVIDERS
from benchmarks.reliability.tls import VALID, TlsFront, tls_front
from benchmarks.reliability.toxiproxy import Toxiproxy, toxiproxy
from testbed.processes import Child, free_port
from testbed.services import (
    ROOT,
    Ports,
    Service,
    agent_metrics,
    livekit_server,
    running,
    simulated_models,
    worker,
    worker_env,
)

APOLOGY_HZ, FALLBACK_ANSWER_HZ = 1320.0, 1760.0
CALLER_SAYS = UTTERANCES[0]
TLS = {"RELIABILITY_TLS": "1"}
"""Setting with which the worker's connections to the providers are encrypted."""
SECRETS = {"GROQ_API_KEY": "gsk-faults-83", "OPENAI_API_KEY": "sk-faults-51", "DEEPGRAM_API_KEY": "dg-faults-27"}
_WORKER_TIMEOUT_S = 600
REPLY_TIMEOUT_S = 15.0

_SIMULATION: dict[str, Any] = {
    "llm": {
        # 'quick' in each sentence: by its tone the caller hears that the fast model answered instead of the main one.
        FAST_MODEL: {"ttft_ms": 150, "tokens_per_second": 500, "replies": ["A quick look will tell."]},
        "*": {
            "ttft_ms": 600,
            "tokens_per_second": 30,
            "replies": ["The answer is at nine. That answer is certain, and no answer is better."],
        },
    },
    "stt": {"*": {"transcripts": [CALLER_SAYS]}},
    "tts": {
        "*": {
            "ttfb_ms": 300,
            "realtime_factor": 0.05,
            "tone_hz": PRERESPONSE_HZ,
            "tones": {"answer": ANSWER_HZ, "quick": FALLBACK_ANSWER_HZ, "went wrong": APOLOGY_HZ},
        }
    },
}


@dataclass
class Testbed:
    """Servers and a worker, for one call at a time.

    Attributes:
        proxy: Stands before each provider.
        folder: Logs, metrics and phrases.
        children: Running processes by their service's name.
        services: How each was started.
        tls: Servers with good and bad TLS before the providers, if connections are encrypted.
        reply_timeout: Silence after which the caller gives up a turn, seconds.
    """

    __test__ = False  # no test class, for pytest

    ports: Ports
    proxy: Toxiproxy
    folder: Path
    children: dict[str, Child] = field(default_factory=dict)
    services: Mapping[str, Service] = field(default_factory=dict)
    tls: TlsFront | None = None
    reply_timeout: float = REPLY_TIMEOUT_S

    async def set_faults(self, faults: Sequence[Mapping[str, Any]]) -> None:
        """Replace the faults of the simulated providers."""
        async with (
            aiohttp.ClientSession(raise_for_status=True) as http,
            http.put(self._simulated("faults"), json=faults),
        ):
            pass

    async def recover(self) -> None:
        """End all faults of the providers."""
        await self.set_faults([])
        await self.proxy.reset()
        if self.tls:
            for provider in PROVIDERS:
                await self.proxy.set_upstream(provider.name, self.tls.ports[VALID])

    async def usage(self) -> dict[str, Counter[str]]:
        """Return what each provider was asked for."""
        async with aiohttp.ClientSession(raise_for_status=True) as http, http.get(self._simulated("seen")) as response:
            rows = await response.json()
        names = {(provider.path, provider.model): provider.name for provider in PROVIDERS}
        found = {provider.name: Counter[str]() for provider in PROVIDERS}
        for row in rows:
            if name := names.get((row.pop("path"), row.pop("model"))):
                found[name].update(row)
        return found

    def _simulated(self, path: str) -> str:
        return f"{self.ports.models_url.removesuffix('/v1')}/simulated/{path}"

    async def metrics(self) -> dict[str, float]:
        """Return the worker's metrics as ``name[label value]…``; none if agent-metrics does not answer."""
        try:
            async with aiohttp.ClientSession() as http, http.get(self.ports.metrics_url) as response:
                text = await response.text()
        except aiohttp.ClientError:
            return {}
        return {
            sample.name + "".join(f"[{value}]" for value in sample.labels.values()): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name.startswith("livekit_")
        }

    async def restart(self, name: str) -> None:
        """Start a service that has ended."""
        service = self.services[name]
        await self.children[name].stop()
        child = await self._start(name, service, f"{uuid4().hex[:6]}.log")
        await child.wait_until(functools.partial(service.is_ready, child), service.timeout, progress)

    async def start_another_worker(self) -> None:
        """Start a second worker and wait until it can take a call."""
        (service,) = (service for name, service in self.services.items() if name.startswith("worker"))
        number = len(self.worker_pids) + 1
        await _wait_for_idle_process(await self._start(f"{service.name} {number}", service, f"worker{number}.log"))

    async def _start(self, name: str, service: Service, log: str) -> Child:
        child = await Child.start(service.name, service.command, service.env, self.folder / log)
        self.children[name] = child
        return child

    @property
    def worker_pids(self) -> list[int]:
        """Process ids of the workers, without the processes of calls."""
        return [child.pid for name, child in self.children.items() if name.startswith("worker")]

    def log(self, offsets: Mapping[Path, int] | None = None) -> str:
        """Return the log of workers and calls, from the given offsets on."""
        return "".join(text[(offsets or {}).get(path, 0) :] for path, text in self._logs().items())

    def log_offsets(self) -> dict[Path, int]:
        """Return the present length of each log."""
        return {path: len(text) for path, text in self._logs().items()}

    def _logs(self) -> dict[Path, str]:
        return {path: path.read_text(errors="replace") for path in sorted(self.folder.glob("worker*.log"))}


@contextlib.asynccontextmanager
async def run_testbed(
    folder: Path, env: Mapping[str, str], mount: str = "", reply_timeout: float = REPLY_TIMEOUT_S
) -> AsyncIterator[Testbed]:
    """Start everything, and stop it at the end.

    Args:
        folder: An existing folder for logs, metrics and phrases.
        env: Settings of the worker; ``{folder}`` in a value stands for the folder.
        mount: Mount options of a file system that contains only the metrics.
        reply_timeout: Silence after which the caller gives up a turn, seconds.

    Raises:
        ServiceError: If a service does not start.
    """
    ports = Ports.free()
    proxy_port, metrics = free_port(), folder / "metrics"
    metrics.mkdir()
    servers = [
        # Without Redis it has forgotten the rooms after a restart: calls go on if it creates them for whoever rejoins.
        livekit_server(ports.livekit, auto_create=True),
        simulated_models(ports.models, _SIMULATION, folder),
        agent_metrics(ports.metrics, metrics),
        toxiproxy(proxy_port),
    ]
    async with contextlib.AsyncExitStack() as stack:
        stack.enter_context(_mounted(mount, metrics))
        children = await stack.enter_async_context(running(servers, folder))
        tls = await stack.enter_async_context(tls_front(ports.models, folder)) if TLS.items() <= env.items() else None
        proxy, upstream = Toxiproxy(proxy_port), tls.ports[VALID] if tls else ports.models
        listening = await proxy.create({provider.name: upstream for provider in PROVIDERS})
        settings = {name: value.format(folder=folder) for name, value in env.items()}
        agent = worker("benchmarks/reliability/agent.py", _worker_env(ports, listening, folder, tls) | settings)
        workers = await stack.enter_async_context(running([agent], folder))
        await _wait_for_idle_process(workers[agent.name])
        services = {service.name: service for service in (*servers, agent)}
        testbed = Testbed(ports, proxy, folder, {**children, **workers}, services, tls, reply_timeout)
        try:
            yield testbed
        finally:
            for child in testbed.children.values():
                await child.stop()


@contextlib.contextmanager
def _mounted(options: str, folder: Path) -> Iterator[None]:
    if not options:
        yield
        return
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False)


async def _wait_for_idle_process(worker: Child) -> None:
    async def is_ready() -> bool:
        return "process initialized" in worker.output()

    await worker.wait_until(is_ready, _WORKER_TIMEOUT_S, progress)


def _worker_env(ports: Ports, listening: Mapping[str, int], folder: Path, tls: TlsFront | None) -> dict[str, str]:
    def url(provider: str) -> str:
        return f"{'https' if tls else 'http'}://localhost:{listening[provider]}/v1"

    env = worker_env(ports, folder / "metrics")
    return {name: value for name, value in env.items() if name not in SMALL_MODEL_SETTINGS} | {
        "GROQ_BASE_URL": url("main_llm"),
        "FAST_BASE_URL": url("fast_llm"),
        "DEEPGRAM_BASE_URL": f"{url('stt')}/listen",
        "OPENAI_BASE_URL": url("tts"),
        "PRERESPONSE_AUDIO_DIR": str(folder / "phrases"),
        "NO_GREETING": "1",
        "PYTHONPATH": str(ROOT),
        **({"SSL_CERT_FILE": str(tls.authority)} if tls else {}),
        **SECRETS,
    }
